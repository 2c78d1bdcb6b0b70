"""Write fake-quants as what they stand for: quantize, then dequantize. Constants become integers,
or float16.

The network still computes in float between the two; `lower-to-bpu` then replaces what lies between
a dequantize and the next quantize. Fake-quants of weights stay: the lowering reads their scales.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.cast import FakeCastOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import ConstFakeQuantOp, DequantizeOp, QuantizeOp
from hbir.ir.origin import Origin, origin_of
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import numpy_dtype
from hbir.kernels.quantize import quantize
from hbir.passes.fake_quant import FakeQuantOp, Quantization, quantization_of
from hbir.passes.gemm import as_gemm


class ExpandFakeQuantsPass(ModulePass):
    """const_fake_quant and fake_cast become quantize and dequantize; on a constant, an integer (or
    f16) constant and the latter. Up to 8 bits are si8, more are si16."""

    name = "expand-fake-quants"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ConstFakeQuantOp: expand, FakeCastOp: expand})


def expand(op: FakeQuantOp, rewrite: Rewrite) -> None:
    """Per tensor only; per-channel fake-quants are of weights."""
    quantization = quantization_of(op)
    if quantization is None or _is_weight(op):
        return
    integers = _integers(op, quantization, rewrite)
    scale = np.array([quantization.scale], np.float32)
    dequantized = DequantizeOp.make(
        integers,
        rewrite.constant(scale, before=op),
        zero_point=quantization.zero_point,
    )
    rewrite.replace(op, dequantized)


def _is_weight(op: FakeQuantOp) -> bool:
    users = [as_gemm(use.operation) for use in op.output.uses]
    return any(gemm is not None and gemm.w is op.output for gemm in users)


def _integers(op: FakeQuantOp, how: Quantization, rewrite: Rewrite) -> SSAValue:
    constant = rewrite.constant_value(op.x)
    origin = (origin_of(op.x) or Origin("")).quantized(how.scale, how.zero_point)
    if constant is not None:
        array = quantize(
            constant, scale=how.scale, zero_point=how.zero_point, dtype=numpy_dtype(how.element)
        )
        values = rewrite.weights.attribute(array)
        return rewrite.insert(ConstantOp.make(values=values, origin=origin), before=op).output
    new = QuantizeOp.make(
        op.x, element=how.element, scale=how.scale, zero_point=how.zero_point, origin=origin
    )
    return rewrite.insert(new, before=op).output
