"""ATen operators that only the CPU runs: each as the ONNX operator that computes the same.

The tensors keep their source layout. A number among the operands takes its partner's element type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from onnx import helper
from xdsl.ir import SSAValue

from hbir.dialects.hbtl import make_onnx_call
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.ir.types import Array, element_type, tensor

OPSET = 21
"""The ONNX opset that the calls follow."""

CallFunction: TypeAlias = "Callable[[NodeImport], Call]"


@dataclass(frozen=True)
class Call:
    """An ONNX operator, its inputs (names of arguments, or constants) and its attributes."""

    operator: str
    inputs: Sequence[str | Array]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])


_UNARY = {
    "abs": "Abs", "alias": "Identity", "isinf": "IsInf", "isnan": "IsNaN", "neg": "Neg",
    "sign": "Sign",
}  # fmt: skip

_BINARY = {
    "add": "Add", "eq": "Equal", "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual",
    "lt": "Less", "maximum": "Max", "minimum": "Min", "mul": "Mul", "pow": "Pow", "sub": "Sub",
}  # fmt: skip

_LOGICAL = {
    "bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor", "logical_and": "And",
    "logical_or": "Or", "logical_xor": "Xor",
}  # fmt: skip

_SUFFIXES = ("Tensor", "Scalar", "Tensor_Scalar", "Tensor_Tensor")


def _unary(operator: str) -> CallFunction:
    return lambda _: Call(operator, ["self"])


def _binary(operator: str, **attributes: int) -> CallFunction:
    def call(node: NodeImport) -> Call:
        if "alpha" in node.names and node.argument("alpha") != 1:
            raise NoBpuForm(f"alpha must be 1, got {node.argument('alpha')}")
        name = "exponent" if "exponent" in node.names else "other"
        if node.operand("self").dtype != node.operand(name).dtype:
            raise NoBpuForm("its operands must have one element type")
        return Call(operator, ["self", name], attributes)

    return call


def _logical(operator: str) -> CallFunction:
    def call(node: NodeImport) -> Call:
        if any(node.operand(name).dtype != np.bool_ for name in ("self", "other")):
            raise NoBpuForm("its operands must be truth values")
        return Call(operator, ["self", "other"])

    return call


def _not(node: NodeImport) -> Call:
    if node.operand("self").dtype != np.bool_:
        raise NoBpuForm("its operand must be truth values")
    return Call("Not", ["self"])


def _cumsum(node: NodeImport) -> Call:
    if node.operand("self").dtype != node.result_dtype:
        raise NoBpuForm("it must keep the element type")
    return Call("CumSum", ["self", np.array(node.int_("dim"), np.int64)])


def _prod(node: NodeImport) -> Call:
    axes = np.array([node.int_("dim")], np.int64)
    return Call("ReduceProd", ["self", axes], {"keepdims": int(node.bool_("keepdim"))})


def _bicubic(node: NodeImport) -> Call:
    """Keys' kernel with a = −0.75, as torch has it."""
    corners = node.bool_("align_corners")
    sizes = np.array(node.shapes[0], np.int64)
    empty = np.zeros(0, np.float32)
    scales = np.array(
        [after / before for after, before in zip(sizes, node.shape("input"), strict=True)]
    )
    if node.has("scale_factors"):
        scales[2:] = node.argument("scale_factors")
    coordinates = "align_corners" if corners else "half_pixel"
    attributes = {
        "mode": "cubic", "cubic_coeff_a": -0.75, "coordinate_transformation_mode": coordinates
    }  # fmt: skip
    return Call("Resize", ["input", empty, scales.astype(np.float32)], attributes)


_PAD_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}


def _pad(node: NodeImport) -> Call:
    given, rank = node.ints("pad"), len(node.shape())
    pads = np.zeros((2, rank), np.int64)
    for position in range(len(given) // 2):
        pads[:, rank - 1 - position] = given[2 * position : 2 * position + 2]
    inputs: list[str | Array] = ["self", pads.reshape(-1)]
    if node.str_("mode") == "constant":
        inputs.append(np.asarray(node.float_("value", 0.0), node.operand("self").dtype))
    return Call("Pad", inputs, {"mode": _PAD_MODES[node.str_("mode")]})


def _conv3d(node: NodeImport) -> Call:
    pads = node.spatial_ints("padding", 3)
    attributes = {
        "strides": node.spatial_ints("stride", 3),
        "pads": [*pads, *pads],
        "dilations": node.spatial_ints("dilation", 3),
        "group": node.int_("groups"),
    }
    inputs = ["input", "weight", *(["bias"] if node.has("bias") else [])]
    return Call("Conv", inputs, attributes)


def _max_pool3d(node: NodeImport) -> Call:
    kernel, pads = node.spatial_ints("kernel_size", 3), node.spatial_ints("padding", 3)
    attributes = {
        "kernel_shape": kernel,
        "strides": node.spatial_ints("stride", 3, kernel),
        "pads": [*pads, *pads],
        "dilations": node.spatial_ints("dilation", 3),
        "ceil_mode": int(node.bool_("ceil_mode")),
    }
    return Call("MaxPool", ["self"], attributes)


@lru_cache(maxsize=1)
def cpu_functions() -> dict[str, CallFunction]:
    """Overload → what makes its call."""
    table: dict[str, CallFunction] = {}
    for name, operator in _UNARY.items():
        table[f"{name}.default"] = _unary(operator)
    for name, operator in _BINARY.items():
        table.update({f"{name}.{suffix}": _binary(operator) for suffix in _SUFFIXES})
        table[f"{name}.default"] = _binary(operator)
    # With fmod the remainder has the dividend's sign, without the divisor's.
    for name, fmod in (("fmod", 1), ("remainder", 0)):
        table.update({f"{name}.{suffix}": _binary("Mod", fmod=fmod) for suffix in _SUFFIXES})
    for name, operator in _LOGICAL.items():
        table.update({f"{name}.{suffix}": _logical(operator) for suffix in _SUFFIXES})
        table[f"{name}.default"] = _logical(operator)
    table.update(
        {
            "bitwise_not.default": _not,
            "conv3d.default": _conv3d,
            "cumsum.default": _cumsum,
            "max_pool3d.default": _max_pool3d,
            "pad.default": _pad,
            "prod.dim_int": _prod,
            "upsample_bicubic2d.vec": _bicubic,
            "where.self": lambda _: Call("Where", ["condition", "self", "other"]),
        }
    )
    return dict(sorted(table.items()))


def cpu_results(overload: str, node: NodeImport, reason: str) -> list[SSAValue]:
    """The node as a CPU op. Raises NoBpuForm when that can't compute it either."""
    call = cpu_functions()[overload](node)
    operands: list[SSAValue] = []
    for index, given in enumerate(call.inputs):
        if isinstance(given, str):
            operands.append(node.value(given))
        else:
            operands.append(node.constant_value(given, f"{node.origin().tensor}#input{index}"))
    names = [f"x{index}" for index in range(len(operands))]
    proto = helper.make_node(call.operator, names, ["y"], **dict(call.attributes))
    op = make_onnx_call(
        proto,
        operands,
        [tensor(node.shapes[0], element_type(node.result_dtype))],
        opset=OPSET,
        weights=node.weights,
        reason=reason,
        origin=node.origin(),
    )
    node.ops.append(op)
    return list(op.results)
