"""Cast, CastLike, Identity and Dropout."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.proto import dtype_of_elem_type
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import Value
from hbir.ir.types import element_type


@imports("Cast")
def cast(node: NodeImport) -> SSAValue:
    """Cast → cast_type, or nothing when the type stays."""
    target = dtype_of_elem_type(node.int_("to", 0))
    if target is None:
        raise NoBpuForm(f"to must be a tensor element type, got {node.int_('to', 0)}")
    return _cast(node, target)


@imports("CastLike")
def cast_like(node: NodeImport) -> SSAValue:
    """CastLike → cast_type to the second input's type."""
    return _cast(node, node.dtype(1))


def _cast(node: NodeImport, target: np.dtype[np.generic]) -> SSAValue:
    if node.dtype(0) == target:
        return node.value(0)
    try:
        element = element_type(target)
    except HbirError as error:
        raise NoBpuForm(str(error)) from error
    # What ONNX leaves undefined (a float outside the integers' range), cast_type saturates.
    return node.result("cast_type", node.value(0), element=element)


@imports("Identity")
def identity(node: NodeImport) -> list[Value]:
    """Identity → nothing."""
    return [node.raw(0)]


@imports("Dropout")
def dropout(node: NodeImport) -> list[Value]:
    """Dropout → nothing. It must not be in training mode, nor its mask be used."""
    if len(node.node.outputs) > 1 and node.node.outputs[1]:
        raise NoBpuForm("its mask must not be used")
    if node.has(2) and bool(node.constant(2, "training_mode").reshape(-1)[0]):
        raise NoBpuForm("training_mode must be false")
    return [node.raw(0)]
