"""argmax and argmin."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_OPS = {"argmax": "reduce_argmax", "argmin": "reduce_argmin"}


@imports("argmax.default", "argmin.default")
def argmax(node: NodeImport) -> SSAValue:
    """argmax, argmin → reduce_argmax, reduce_argmin; without an axis, of the flattened tensor."""
    x, keep = node.value("self"), node.bool_("keepdim")
    if node.has("dim"):
        axis = node.axis("dim", len(node.shape()))
        return node.result(_OPS[node.kind], x, dims=[axis], keep_dim=keep)
    flat = node.reshape(x, (node.elements(),))
    place = node.emit(_OPS[node.kind], flat, dims=[0], keep_dim=False)
    return node.reshape(place, node.shapes[0], node.origin())
