"""ArgMax and ArgMin."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.move import axis_of
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_OPS = {"ArgMax": "reduce_argmax", "ArgMin": "reduce_argmin"}


@imports(*_OPS)
def argmax(node: NodeImport) -> SSAValue:
    """ArgMax, ArgMin → reduce_argmax, reduce_argmin. The first of equal elements must be chosen."""
    if node.int_("select_last_index", 0):
        raise NoBpuForm("select_last_index must be 0")
    axis = axis_of(node.int_("axis", 0), len(node.shape(0)))
    keep_dim = bool(node.int_("keepdims", 1))
    return node.result(_OPS[node.node.type], node.value(0), dims=[axis], keep_dim=keep_dim)
