"""What lowerings work with: integer operands behind their dequantize, constants, origins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import DequantizeOp, QuantizeOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin, name_of, origin_of, origin_of_op, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import F16, Array, dtype_of, element_of, numpy_dtype
from hbir.passes.constraints.float16 import INTEGER_PRODUCTS
from hbir.passes.fake_quant import FLOAT16, Quantization

OpT = TypeVar("OpT", bound=TensorOp)


@dataclass(frozen=True)
class Quantized:
    """An integer tensor and how its integers are read."""

    value: SSAValue
    quantization: Quantization

    @property
    def scale(self) -> float:
        """The scale, per tensor."""
        return self.quantization.scale

    @property
    def zero_point(self) -> int:
        """The integer of 0.0."""
        return self.quantization.zero_point

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of its integers."""
        return dtype_of(self.value)


def quantization_of(op: QuantizeOp) -> Quantization:
    """The quantization that a quantize performs."""
    if element_of(op.output) == F16:
        return FLOAT16
    params = op.params()
    return Quantization(params["scale"], params["zero_point"], 8 * dtype_of(op.output).itemsize)


@dataclass(frozen=True)
class Lowering:
    """One op's lowering: new ops are inserted before `anchor`, whose place the last one takes.

    `output` is how the result is quantized; None where the accumulator goes out raw.
    """

    rewrite: Rewrite
    anchor: Operation
    output: Quantization | None

    @property
    def result(self) -> Quantization:
        """How the result is quantized. Raises HbirError where it isn't."""
        if self.output is None:
            raise HbirError("its result is not quantized, and it has no raw form")
        return self.output

    @property
    def element(self) -> Attribute:
        """The result's element type, si8, si16 or f16."""
        return self.result.element

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the result's integers."""
        return numpy_dtype(self.element)

    def quantized(self, value: SSAValue) -> Quantized:
        """The integers or float16 behind a float operand. Raises HbirError where there are none."""
        dequantize = value.owner
        if not isinstance(dequantize, DequantizeOp):
            raise HbirError(f'operand "{name_of(value, "?")}" is not quantized')
        if element_of(dequantize.q) == F16:
            return Quantized(dequantize.q, FLOAT16)
        scale = self.rewrite.constant_value(dequantize.scale)
        if scale is None or scale.size != 1:
            raise HbirError(f'operand "{name_of(value, "?")}" has no single constant scale')
        zero_point: int = dequantize.params()["zero_point"]
        bits = 8 * dtype_of(dequantize.q).itemsize
        return Quantized(dequantize.q, Quantization(float(scale[0]), zero_point, bits))

    def integers(self, value: SSAValue) -> Quantized:
        """`quantized` for a product's operand. Raises HbirError where it is float16."""
        x = self.quantized(value)
        if x.quantization.is_float:
            raise HbirError(f'operand "{name_of(value, "?")}" is float16; {INTEGER_PRODUCTS}')
        return x

    def constant(self, array: Array, *, name: str = "", scale: Array | None = None) -> SSAValue:
        """A constant, named `<result's tensor>/<name>`; `scale`: of weights, per channel."""
        values = self.rewrite.weights.attribute(array)
        origin = self._origin(name) if name else None
        if origin is not None:
            how = None if scale is None else self.rewrite.weights.attribute(scale)
            origin = Origin(origin.tensor, scale=how)
        return self.insert(ConstantOp.make(values=values, origin=origin)).output

    def constant_of(self, value: SSAValue | None, default: float) -> Array:
        """The array of a constant weight or bias, or the default where it is left out.

        Raises HbirError for one that is computed.
        """
        if value is None:
            return np.array(default)
        array = self.rewrite.constant_value(value)
        if array is None:
            raise HbirError("its weight and bias must be constants")
        return array

    def insert(self, op: OpT) -> OpT:
        """Insert an op that the result is computed from."""
        return self.rewrite.insert(op, before=self.anchor)

    def finish(self, op: OpT) -> OpT:
        """Give the op that takes the result's place its origin: name, scale, zero point."""
        return self._with_origin(op, self._origin(), self.result)

    def finish_raw(self, op: OpT, scale: Array) -> OpT:
        """The same for a raw accumulator with one scale per channel; inserted here."""
        origin = self._origin("accumulator")
        how = self.rewrite.weights.attribute(scale)
        return self.insert(_set(op, origin.quantized(how)))

    def step(self, op: TensorOp, like: Quantized, suffix: str) -> Quantized:
        """Insert a move of `like` on the way to the result; it keeps scale and zero point."""
        source = origin_of(like.value)
        name = f"{source.tensor}/{suffix}" if source is not None and source.tensor else ""
        self._with_origin(op, Origin(name), like.quantization)
        return Quantized(self.insert(op).output, like.quantization)

    def made(self, op: TensorOp, how: Quantization, suffix: str) -> Quantized:
        """Insert an op that makes the result in another form, which the last one brings it from."""
        self._with_origin(op, self._origin(suffix), how)
        return Quantized(self.insert(op).output, how)

    def _origin(self, suffix: str = "") -> Origin:
        origin = origin_of_op(self.anchor) or Origin("")
        if not suffix:
            return origin
        return Origin(f"{origin.tensor}/{suffix}" if origin.tensor else "")

    @staticmethod
    def _with_origin(op: OpT, origin: Origin, how: Quantization) -> OpT:
        return _set(op, origin.quantized(how.scale, how.zero_point))


def _set(op: OpT, origin: Origin) -> OpT:
    set_origin(op, origin)
    return op


LoweringFunction: TypeAlias = Callable[[Any, Lowering], TensorOp]
"""(float op, lowering) → the op that takes the result's place, not yet inserted.

For a fusion group the op is its last one.
"""
