"""ReduceMean."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.onnx.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports


@imports("ReduceMean")
def reduce_mean(node: NodeImport) -> SSAValue:
    """ReduceMean → reduce_mean. The axes (an attribute before opset 18) must be constant."""
    rank = len(node.shape(0))
    axes = node.integers("axes", 1, None)
    if not axes:
        if (axes == [] and node.int_("noop_with_empty_axes", 0)) or rank == 0:
            return node.value(0)
        if axes is None and node.int_("noop_with_empty_axes", 0):
            return node.value(0)
        axes = list(range(rank))
    if any(not -rank <= axis < rank for axis in axes):
        raise NoBpuForm(f"axes {axes} must lie in {-rank}..{rank - 1}")
    dims = sorted({axis % rank for axis in axes})
    return node.result(
        "reduce_mean", node.value(0), dims=dims, keep_dim=bool(node.int_("keepdims", 1))
    )
