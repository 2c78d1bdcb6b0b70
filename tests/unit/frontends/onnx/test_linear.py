"""Gemm and MatMul against onnxruntime."""

from typing import Any

import pytest

from tests.unit.frontends.onnx.oracle import (
    OPSETS,
    Array,
    check,
    count,
    model_of,
    node,
    random,
    single,
)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
def test_gemm(opset: int, trans_a: int, trans_b: int) -> None:
    weight = random(*((5, 4) if trans_b else (4, 5)))
    shape = (4, 3) if trans_a else (3, 4)
    module = check(
        single("Gemm", shape, [weight, random(5)], opset, transA=trans_a, transB=trans_b)
    )
    assert count(module, "hbir.linear") == 1
    assert count(module, "hbir.add") == 0


@pytest.mark.parametrize("bias", [(), (1,), (5,), (1, 5), (3, 1), (3, 5)])
def test_gemm_scales_and_broadcasts(bias: tuple[int, ...]) -> None:
    check(single("Gemm", (3, 4), [random(4, 5), random(*bias)], alpha=0.5, beta=-2.0))


def test_gemm_without_bias() -> None:
    check(single("Gemm", (3, 4), [random(4, 5)], alpha=3.0))


def test_gemm_of_activations() -> None:
    nodes = [node("Gemm", ["a", "b", "c"], alpha=0.5, transB=1)]
    module = check(model_of(nodes, {"a": (3, 4), "b": (5, 4), "c": (3, 5)}, ["y"]))
    assert count(module, "hbir.matmul") == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3, 4), (4, 5)), ((4,), (4, 5)), ((2, 3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (2, 4, 5))],
)
def test_matmul_of_ranks(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    nodes = [node("MatMul", ["a", "b"])]
    check(model_of(nodes, {"a": left, "b": right}, ["y"]))
    check(single("MatMul", left, [random(*right)]))


def test_matmul_with_a_constant_is_linear() -> None:
    module = check(single("MatMul", (2, 3, 4), [random(4, 5)]))
    assert count(module, "hbir.linear") == 1


def test_a_flattened_feature_map_needs_no_transpose() -> None:
    constants: dict[str, Array] = {"k": random(4, 3, 3, 3), "w": random(10, 4 * 6 * 6)}
    nodes = [
        node("Conv", ["x", "k"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("Flatten", ["b"], ["c"]),
        node("Gemm", ["c", "w"], transB=1),
    ]
    module = check(model_of(nodes, {"x": (2, 3, 8, 8)}, ["y"], constants))
    statistics: dict[str, Any] = module.functions[0].statistics()
    assert statistics["hbir.transpose"] == 1  # of the input
