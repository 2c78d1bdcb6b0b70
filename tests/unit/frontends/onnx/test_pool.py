"""Pools against onnxruntime."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.frontends.onnx.oracle import OPSETS, check, count, model_of, node, reasons, single


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
def test_pools_in_every_opset(op_type: str, opset: int) -> None:
    check(single(op_type, (2, 3, 8, 7), (), opset, kernel_shape=[3, 2], strides=[2, 1]))


@settings(max_examples=60)
@given(
    st.sampled_from(["MaxPool", "AveragePool", "AveragePool+pad"]),
    st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    st.booleans(),
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.lists(st.integers(2, 4), min_size=2, max_size=2),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
)
def test_pools_with_any_window(
    kind: str, auto_pad: str, ceil: bool, strides: list[int], kernel: list[int], pads: list[int]
) -> None:
    op_type, _, counts_pad = kind.partition("+")
    # implementations differ in what SAME together with ceil_mode means
    assume(auto_pad == "NOTSET" or not ceil)
    more: dict[str, Any] = {"pads": pads} if auto_pad == "NOTSET" else {"auto_pad": auto_pad}
    if op_type == "AveragePool":
        more["count_include_pad"] = int(bool(counts_pad))
    check(
        single(
            op_type,
            (1, 2, 7, 8),
            (),
            19,
            kernel_shape=kernel,
            strides=strides,
            ceil_mode=int(ceil),
            **more,
        )
    )


def test_dilated_max_pool() -> None:
    check(single("MaxPool", (1, 2, 9, 9), kernel_shape=[3, 3], dilations=[2, 2], strides=[2, 2]))


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
def test_pools_1d(op_type: str) -> None:
    check(single(op_type, (2, 3, 10), kernel_shape=[3], strides=[2], pads=[1, 1]))


def test_max_pool_whose_indices_are_used_is_a_cpu_op() -> None:
    nodes = [
        node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Cast", ["i"], ["z"], to=1),
    ]
    module = check(model_of(nodes, {"x": (1, 2, 4, 4)}, ["y", "z"]), on_cpu=["MaxPool"])
    assert reasons(module) == ["MaxPool: its Indices result must not be used"]


def test_max_pool_with_unread_indices_has_a_bpu_form() -> None:
    nodes = [node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])]
    check(model_of(nodes, {"x": (1, 2, 4, 4)}, ["y"]))


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (1, 2, 3, 4, 5)])
def test_global_average_pool_is_a_mean(shape: tuple[int, ...]) -> None:
    module = check(single("GlobalAveragePool", shape))
    assert count(module, "hbir.reduce_mean") == 1


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4)])
def test_global_max_pool(shape: tuple[int, ...]) -> None:
    check(single("GlobalMaxPool", shape))
