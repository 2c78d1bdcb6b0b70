"""Gather and its kin: elements chosen by indices, constant or computed."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.onnx.move import axis_of
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import known_array


@imports("Gather")
def gather(node: NodeImport) -> SSAValue:
    """Gather → index; of one constant index, which is how exporters select → slice, reshape."""
    shape = node.shape(0)
    axis = axis_of(node.int_("axis", 0), len(shape))
    place = known_array(node.raw(1))
    if place is not None and place.ndim == 0 and -shape[axis] <= place < shape[axis]:
        return compositions.select(node, node.value(0), axis, int(place) % shape[axis])
    return node.result("index", node.value(0), node.value(1), dim=axis)


@imports("GatherElements")
def gather_elements(node: NodeImport) -> SSAValue:
    """GatherElements → gather_elements."""
    axis = axis_of(node.int_("axis", 0), len(node.shape(0)))
    return node.result("gather_elements", node.value(0), node.value(1), dim=axis)


@imports("GatherND")
def gather_nd(node: NodeImport) -> SSAValue:
    """GatherND → gather_nd."""
    batch = node.int_("batch_dims", 0)
    return node.result("gather_nd", node.value(0), node.value(1), batch_dim=batch)
