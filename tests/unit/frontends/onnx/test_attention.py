"""Attention against ONNX's reference evaluator."""

from typing import Any

import numpy as np
import pytest

from hbir.module import Module
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import (
    Array,
    count,
    feeds_of,
    model_of,
    node,
    onnx_reference,
    reasons,
)

Shape = tuple[int, ...]


def check_attention(
    shapes: dict[str, Shape], constants: dict[str, Array] | None = None, **attributes: Any
) -> Module:
    """Import one Attention node and compare its float result."""
    names = [*shapes, *(constants or {})]
    model = model_of([node("Attention", names, **attributes)], shapes, ["y"], constants, opset=23)
    module = export(model)
    module.verify()
    feeds = feeds_of(module.functions[0])
    (wanted,) = onnx_reference(model, feeds)
    np.testing.assert_allclose(module.functions[0].feed(feeds)["y"], wanted, rtol=1e-4, atol=1e-5)
    assert count(module, "hbir.attention") == 1
    return module


@pytest.mark.parametrize("is_causal", [0, 1])
def test_four_axes(is_causal: int) -> None:
    shapes = {"q": (2, 3, 4, 8), "k": (2, 3, 5, 8), "v": (2, 3, 5, 6)}
    check_attention(shapes, is_causal=is_causal, scale=0.2)


def test_three_axes_and_a_softcap() -> None:
    shapes = {"q": (2, 4, 24), "k": (2, 5, 24), "v": (2, 5, 12)}
    check_attention(shapes, q_num_heads=3, kv_num_heads=3, softcap=2.0)


def test_grouped_queries_with_a_mask() -> None:
    shapes = {"q": (2, 4, 32), "k": (2, 5, 16), "v": (2, 5, 8)}
    mask = np.random.default_rng(0).normal(size=(2, 4, 4, 5)).astype(np.float32)
    check_attention(shapes, {"m": mask}, q_num_heads=4, kv_num_heads=2)
    check_attention({**shapes, "m": (4, 5)}, q_num_heads=4, kv_num_heads=2)


def test_a_boolean_mask() -> None:
    shapes = {"q": (2, 3, 4, 8), "k": (2, 3, 5, 8), "v": (2, 3, 5, 6)}
    mask = np.tri(4, 5, dtype=bool)
    check_attention(shapes, {"m": mask})


def test_a_cache_goes_to_the_cpu() -> None:
    shapes = {"q": (1, 2, 1, 8), "k": (1, 2, 1, 8), "v": (1, 2, 1, 8)}
    past = {"pk": (1, 2, 3, 8), "pv": (1, 2, 3, 8)}
    nodes = [node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "new_k", "new_v"])]
    module = export(model_of(nodes, {**shapes, **past}, ["y", "new_k", "new_v"], opset=23))
    assert "no cache" in reasons(module)[0]
