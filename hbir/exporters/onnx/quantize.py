"""Fake-quants: a marker `HzCalibration` in a calibrated model, integers in a quantized one.

    calibrated:  x → horizon.HzCalibration(x, scale, zero_point) → y
    quantized:   x → QuantizeLinear → DequantizeLinear → y, constants as integers → DequantizeLinear

`HzCalibration` is a function that the file brings along: QuantizeLinear, then DequantizeLinear.
Where a grid leaves out some of its dtype's integers (narrow ranges, widths other than 8 and 16), x
is clipped before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import FunctionProto, helper

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.exporters.onnx.values import permuted, tensor_name
from hbir.ir.origin import name_of
from hbir.ir.types import Array
from hbir.kernels.quantize import along_axis, integer_range, scales_and_zero_points, steps_of
from hbir.passes.permutation import Dims

DOMAIN, MARKER, VERSION = "horizon", "HzCalibration", 1

_helper: Any = helper


class _Grid:
    """The integers that a fake-quant rounds to."""

    def __init__(self, node: NodeExport) -> None:
        params = node.params
        self.bits: int = params["bits"]
        self.dtype = np.dtype(np.int8 if self.bits <= 8 else np.int16)
        self.low, self.high = integer_range(self.bits, params["narrow_range"])
        scales, zeros = scales_and_zero_points(
            self.bits, params["min"], params["max"], params["narrow_range"]
        )
        axis = params.get("axis")
        self.axis: int | None = None if axis is None else axis % node.rank()
        self.scales: Array = scales
        self.zeros: Array = zeros
        self.thresholds = [float(value) for value in np.maximum(np.abs(params["max"]), 0)]

    @property
    def whole(self) -> bool:
        """Whether it is all integers of its dtype."""
        limits = np.iinfo(self.dtype)
        return (self.low, self.high) == (limits.min, limits.max)

    def parameters(self) -> tuple[Array, Array]:
        """scale and zero_point as ONNX has them: scalars, or one entry per channel."""
        zeros = self.zeros.astype(self.dtype)
        if self.axis is None:
            return self.scales.reshape(()), zeros.reshape(())
        return self.scales, zeros

    def integers(self, array: Array) -> Array:
        """The integers of a constant."""
        scale = along_axis(self.scales, array.ndim, self.axis)
        zero = along_axis(self.zeros, array.ndim, self.axis)
        return steps_of(array, scale, zero, self.low, self.high).astype(self.dtype)

    def bound(self, end: int, layout: Dims) -> Array:
        """The numbers of an end of the integers, to broadcast to a tensor in `layout`."""
        rank = len(layout)
        zero = along_axis(self.zeros, rank, self.axis)
        number = (end - zero) * along_axis(self.scales, rank, self.axis)
        return np.asarray(number, np.float32).transpose(layout)

    def position(self, layout: Dims) -> int | None:
        """The channels' axis in `layout`."""
        return None if self.axis is None else layout.index(self.axis)


@exports("qnt.const_fake_quant")
def fake_quant(node: NodeExport) -> None:
    """QuantizeLinear and DequantizeLinear, or a marker that stands for them."""
    grid = _Grid(node)
    array = node.constant(0)
    if array is not None:
        _constant(node, grid, array)
        return
    layout = node.layout()
    x = _clipped(node, grid, node.own(), layout)
    scale, zero = _parameters(node, grid, node.result_name(layout))
    axis = grid.position(layout)
    base = node.result_name(layout)
    parameters = [scale, zero]
    if node.quantized:
        integers = node.graph.tensors.fresh(f"{base}_quantized")
        _append(node, base, "QuantizeLinear", [x, *parameters], integers, axis=axis)
        output = node.graph.tensors.fresh(f"{base}_dequantized")
        _append(node, base, "DequantizeLinear", [integers, *parameters], output, axis=axis)
    else:
        output = node.graph.tensors.fresh(f"{base}_calibrated")
        _append(node, base, MARKER, [x, *parameters], output, **_marker(node, grid, layout))
    node.values.add(node.result, layout, output)


def _append(
    node: NodeExport, base: str, op_type: str, inputs: list[str], output: str, **attributes: Any
) -> None:
    """A node called after the tensor that it rounds: `conv1_QuantizeLinear`."""
    domain = DOMAIN if op_type == MARKER else ""
    name = node.graph.node_names.fresh(f"{base}_{op_type}")
    node.graph.node(op_type, inputs, [output], name, attributes, domain)


def _parameters(node: NodeExport, grid: _Grid, base: str) -> tuple[str, str]:
    scale, zero = grid.parameters()
    return (
        node.graph.initializer(scale, f"{base}_scale"),
        node.graph.initializer(zero, f"{base}_zero_point"),
    )


def _constant(node: NodeExport, grid: _Grid, array: Array) -> None:
    """A constant, quantized in whatever layout it is read."""
    scale, zero = _parameters(node, grid, name_of(node.result, node.label))
    integers = grid.integers(array)
    source = node.operands[0]

    def make(layout: Dims) -> str:
        base = tensor_name(source, layout, node.label)
        if node.quantized:
            stored = node.graph.initializer(permuted(integers, layout), f"{base}_quantized")
            name = node.graph.tensors.fresh(f"{base}_dequantized")
            axis = grid.position(layout)
            _append(node, base, "DequantizeLinear", [stored, scale, zero], name, axis=axis)
            return name
        name = node.graph.tensors.fresh(f"{base}_calibrated")
        x = _clipped(node, grid, node.values.tensor(source, layout), layout, array)
        _append(node, base, MARKER, [x, scale, zero], name, **_marker(node, grid, layout))
        return name

    node.values.add_made(node.result, make)


def _marker(node: NodeExport, grid: _Grid, layout: Dims) -> dict[str, Any]:
    """Attributes of a marker; its function goes into the file."""
    node.graph.use_domain(DOMAIN, VERSION)
    node.graph.functions.setdefault(MARKER, _function(node.opset))
    axis = grid.position(layout)
    return {
        "axis": 1 if axis is None else axis,
        "bits": grid.bits,
        "thresholds": grid.thresholds,
    }


def _function(opset: int) -> FunctionProto:
    """HzCalibration(x, scale, zero_point) = DequantizeLinear(QuantizeLinear(x)).

    `bits` and `thresholds` (the range's upper ends) are there to be read by people.
    """
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"], name="quantize"),
        helper.make_node(
            "DequantizeLinear", ["q", "scale", "zero_point"], ["y"], name="dequantize"
        ),
    ]
    for inner in nodes:
        axis = inner.attribute.add()
        axis.name, axis.ref_attr_name, axis.type = "axis", "axis", axis.INT
    return _helper.make_function(
        DOMAIN,
        MARKER,
        ["x", "scale", "zero_point"],
        ["y"],
        nodes,
        [_helper.make_opsetid("", opset)],
        attributes=["axis", "bits", "thresholds"],
    )


def _clipped(
    node: NodeExport, grid: _Grid, x: str, layout: Dims, array: Array | None = None
) -> str:
    """x limited to what the grid's integers stand for, where its dtype has more of them."""
    if grid.whole:
        return x
    low, high = grid.bound(grid.low, layout), grid.bound(grid.high, layout)
    if array is not None:
        seen = array.transpose(layout)
        half = along_axis(grid.scales, array.ndim, grid.axis).transpose(layout) / 2
        if np.all(seen > low - half) and np.all(seen < high + half):
            return x
    if low.size == 1:
        return node.emit("Clip", x, node.number(low.item()), node.number(high.item()))
    bounded = node.emit("Max", x, node.array(low, "least"))
    return node.emit("Min", bounded, node.array(high, "greatest"))


@exports("qnt.quantize")
def quantize(node: NodeExport) -> None:
    """QuantizeLinear."""
    dtype = node.params["dtype"]
    scale = node.number(node.params["scale"])
    zero = node.number(node.params["zero_point"], dtype)
    node.finish("QuantizeLinear", node.own(), scale, zero, layout=node.layout())


@exports("qnt.dequantize")
def dequantize(node: NodeExport) -> None:
    """DequantizeLinear; the scales are per tensor, or per channel of the IR's last axis."""
    layout = node.layout()
    scale = node.tensor(1)
    axis = layout.index(node.rank() - 1) if node.rank() else None
    per_tensor = node.shape(1) == (1,)
    if per_tensor:
        scale = node.reshape(scale, [])
    zeros = np.full(() if per_tensor else node.shape(1), node.params["zero_point"], node.dtype())
    axis = None if per_tensor else axis
    zero = node.array(zeros, "zero_point")
    node.finish("DequantizeLinear", node.own(), scale, zero, layout=layout, axis=axis)
