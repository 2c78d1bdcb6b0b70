"""The `qnt` dialect: where values become integers.

    scale = float32((max − min) / (2^bits − 1))      narrowRange: (2^bits − 2)
    zero point = round_half_even(qmin − min / scale), qmin = −2^(bits−1), narrowRange: one more
    quantize(x)   = clip(round_half_even(x / scale) + zero point, qmin, qmax)     x / scale in f32
    dequantize(q) = f32(q − zero point) · scale

On the float level `const_fake_quant` marks the values to be quantized and simulates it; on the
quantized level `quantize` and `dequantize` stand where the network meets float. The exact
arithmetic and its helpers are in `hbir.kernels.quantize`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from typing_extensions import override
from xdsl.dialects.builtin import Float32Type, FloatAttr, TensorType, UnitAttr, f32
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import (
    EqAttrConstraint,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from hbir.dialects import collect_dialect
from hbir.dialects.checks import axis_of, expect, expect_float32
from hbir.dialects.hbir.base import UnaryOp
from hbir.dialects.properties import (
    bool_property,
    flag_property,
    float_list_property,
    int_property,
    optional_int_property,
)
from hbir.errors import HbirError
from hbir.ir.op import Operands, Params, Shape, ShapeError, TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import F16, F32, SI8, SI16, SI32, dtype_of, element_of
from hbir.kernels.quantize import scales_and_zero_points

_FLOAT32: Any = FloatAttr.constr(EqAttrConstraint(f32))


@irdl_op_definition
class ConstFakeQuantOp(UnaryOp):
    """dequantize(quantize(x)) with the scale of [min, max], in float.

    x: f32 of any shape. `min` and `max` have one entry, or with `axis` one per channel of that
    axis. `illegal` is the published mark of an op that convert has yet to remove; it changes
    nothing.
    """

    name = "qnt.const_fake_quant"

    bits = int_property(8)
    min = float_list_property()
    max = float_list_property()
    narrow_range = bool_property(False, "narrowRange")
    axis = optional_int_property()
    illegal: UnitAttr | None = flag_property()

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = super().infer_shape(operands, params)
        channels = 1
        if "axis" in params:
            channels = shape[axis_of(params["axis"], len(shape), "axis")]
        for name in ("min", "max"):
            count = len(params[name])
            expect(
                count == channels,
                f"{name} must have {channels} entries"
                f"{' (one per channel)' if 'axis' in params else ''}, got {count}",
            )
        try:
            scales_and_zero_points(
                params["bits"], params["min"], params["max"], params["narrow_range"]
            )
        except HbirError as error:
            raise ShapeError(str(error)) from error
        return shape


@irdl_op_definition
class QuantizeOp(TensorOp):
    """quantize(x): f32 or f16 of any shape → si8, si16 or f16.

    f16 is x rounded, saturated to ±65504; it has scale 1 and zero point 0.
    """

    name = "qnt.quantize"
    ELEMENTS: ClassVar[tuple[Attribute, ...]] = (SI8, SI16, F16)
    PASSES_DTYPE: ClassVar[bool] = True

    x = operand_def(TensorType)
    scale: FloatAttr[Float32Type] = prop_def(_FLOAT32)
    zero_point = int_property(0, "zeroPoint")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` type($x) `to` type($result)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def make(
        cls,
        *operands: SSAValue | Operation,
        origin: Origin | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> QuantizeOp:
        """As `TensorOp.make`; `element` is si8, si16 or f16, `scale` is rounded to float32."""
        scale = properties.get("scale")
        if scale is not None and not isinstance(scale, Attribute):
            properties["scale"] = FloatAttr(float(np.float32(scale)), f32)
        return super().make(*operands, origin=origin, element=element, **properties)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        element = operands[0].get_element_type()
        expect(element in (F32, F16), f"x must hold f32 or f16, got {element}")
        scale: float = params["scale"]
        expect(0 < scale < float("inf"), f"scale must be positive and finite, got {scale}")
        return operands[0].get_shape()

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return None

    @override
    def verify_(self) -> None:
        super().verify_()
        zero_point = self.zero_point.value.data
        if element_of(self.result) == F16:
            if zero_point != 0 or self.scale.value.data != 1:
                raise VerifyException("f16 has scale 1 and zeroPoint 0")
            return
        limits = np.iinfo(dtype_of(self.result).name)
        if not limits.min <= zero_point <= limits.max:
            raise VerifyException(
                f"zeroPoint must be in {limits.min}..{limits.max}, got {zero_point}"
            )


@irdl_op_definition
class DequantizeOp(TensorOp):
    """dequantize(q): si8, si16, si32 or f16 of any shape → f32, or that rounded to f16.

    scale: f32 (1), or (C) for one per channel of q's last axis.
    """

    name = "qnt.dequantize"
    ELEMENTS: ClassVar[tuple[Attribute, ...]] = (F32, F16)
    PASSES_DTYPE: ClassVar[bool] = True

    q = operand_def(TensorType)
    scale = operand_def(TensorType)
    zero_point = int_property(0, "zeroPoint")
    result = result_def(TensorType)

    assembly_format = "$q `,` $scale attr-dict `:` functional-type(operands, results)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def make(
        cls,
        *operands: SSAValue | Operation,
        origin: Origin | None = None,
        element: Attribute | None = F32,
        **properties: Any,
    ) -> DequantizeOp:
        """As `TensorOp.make`; `element` is f32 or f16."""
        return super().make(*operands, origin=origin, element=element, **properties)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        q, scale = operands
        expect(
            q.get_element_type() in (SI8, SI16, SI32, F16),
            f"q must hold si8, si16, si32 or f16, got {q.get_element_type()}",
        )
        expect_float32([scale], ["scale"])
        shape = q.get_shape()
        allowed = {(1,), (shape[-1],)} if shape else {(1,)}
        expect(
            scale.get_shape() in allowed,
            f"scale must be (1,) or one per channel of q of shape {list(shape)}, got"
            f" {list(scale.get_shape())}",
        )
        return shape

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return None


def dialect() -> Dialect:
    """The dialect of the ops in this file."""
    return collect_dialect("qnt", __name__)
