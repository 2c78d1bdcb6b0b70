"""TopK."""

from __future__ import annotations

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.move import axis_of
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import Value


@imports("TopK")
def topk(node: NodeImport) -> list[Value]:
    """TopK → topk for the indices, gather_elements for the values. k must be constant.

    The result is sorted whether asked for or not.
    """
    k = node.constant_ints(1, "k") if node.has(1) else [node.int_("k", 0)]
    if len(k) != 1:
        raise NoBpuForm(f"k must be one number, got {k}")
    axis = axis_of(node.int_("axis", -1), len(node.shape(0)))
    x, largest = node.value(0), bool(node.int_("largest", 1))
    names = (*node.node.outputs, "")
    indices = node.emit(
        "topk", x, k=k[0], dim=axis, largest=largest, origin=node.origin(1) if names[1] else None
    )
    if not names[0]:
        return [node.raw(0), indices]
    return [node.result("gather_elements", x, indices, dim=axis), indices]
