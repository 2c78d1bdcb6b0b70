"""Nodes of custom ops: what a user has registered becomes a CPU op.

Besides a node called after the op there is `PyOp` of domain `horizon.custom`, as the X3 and J5
generation's exporters write it: attributes name the class (`class_name`), the results' shapes
(`output_shape`: "1,1024,1,1" each) and ONNX element types (`output_types`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.frontends.onnx.graph import Node
from hbir.frontends.onnx.proto import dtype_of_elem_type
from hbir.frontends.onnx.reference import TensorInfo, schema_of
from hbir.kernels.custom import CustomOp, find_op, infer_custom
from hbir.kernels.custom import TensorInfo as Info

PYOP, PYOP_DOMAIN = "PyOp", "horizon.custom"
_PYOP_ATTRIBUTES = (
    "class_name", "compute", "module", "input_types", "output_types", "output_shape"
)  # fmt: skip


def custom_op_of(node: Node) -> CustomOp | None:
    """The registered op that a node is; None for others, and for ONNX's own operators."""
    if _is_pyop(node):
        return find_op(PYOP_DOMAIN, str(node.attributes.get("class_name", "")))
    return None if schema_of(node) is not None else find_op(node.domain, node.type)


def refusal(node: Node) -> str | None:
    """What to do about a node that must be a custom op; None where it needn't be."""
    if _is_pyop(node):
        name = str(node.attributes.get("class_name", ""))
        module = str(node.attributes.get("module", ""))
        return (
            f"custom op {name} is not registered; register its file first:"
            f' hbir.custom.register_files(["{module or name}.py"])'
        )
    return None


def custom_attributes(node: Node) -> list[str]:
    """The names of the attributes that the op itself gets."""
    names = list(node.attributes)
    return [name for name in names if name not in _PYOP_ATTRIBUTES] if _is_pyop(node) else names


def result_infos(
    node: Node, op: CustomOp, operands: Sequence[TensorInfo | None]
) -> list[TensorInfo]:
    """Shape and dtype of each result. Raises HbirError that names the op where they aren't told."""
    if _is_pyop(node) and node.attributes.get("output_shape"):
        found = _said(node)
    else:
        attributes: Mapping[str, Any] = {
            name: plain(node.attributes[name]) for name in custom_attributes(node)
        }
        infos = [None if info is None else Info(*info) for info in operands]
        found = [(info.shape, info.dtype) for info in infer_custom(op, infos, attributes)]
    if len(found) < len(node.outputs):
        raise HbirError(
            f"custom op {op.name} ({op.file}) tells of {len(found)} results, the node has"
            f" {len(node.outputs)}"
        )
    return found[: len(node.outputs)]


def plain(value: Any) -> Any:
    """An attribute as the function gets it, the same while importing as at run time."""
    if isinstance(value, bytes):
        return value.decode()
    return tuple(map(plain, value)) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  (of any type)


def _is_pyop(node: Node) -> bool:
    return (node.domain, node.type) == (PYOP_DOMAIN, PYOP)


def _said(node: Node) -> list[TensorInfo]:
    """The results that a PyOp's attributes tell of."""
    shapes = [plain(shape) for shape in node.attributes["output_shape"]]
    types = node.attributes.get("output_types") or [1] * len(shapes)
    found: list[TensorInfo] = []
    for shape, element in zip(shapes, types, strict=False):
        dtype = dtype_of_elem_type(int(element))
        try:
            extents = tuple(int(extent) for extent in str(shape).split(","))
        except ValueError:
            extents = (0,)
        if dtype is None or min(extents, default=0) < 1:
            raise HbirError(
                f"{node}: output_shape must be texts such as '1,8,1,1', and output_types ONNX"
                f" element types, got {shape!r} and {element}"
            )
        found.append((extents, np.dtype(dtype)))
    return found
