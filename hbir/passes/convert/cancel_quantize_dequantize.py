"""Remove quantize right after dequantize: equal scales cancel, others are a requantization."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.qnt import DequantizeOp, QuantizeOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import SI32, element_of
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, quantization_of
from hbir.passes.convert.lower_to_bpu.move import rescale
from hbir.passes.graph import defined_by


class CancelQuantizeDequantizePass(ModulePass):
    """quantize(dequantize(q)) becomes q, or bpu.rescale(q) where the scales differ; between float16
    and integers, what remains of the two."""

    name = "cancel-quantize-dequantize"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {QuantizeOp: cancel})


def cancel(op: QuantizeOp, rewrite: Rewrite) -> None:
    """Raw accumulators are left: their scale is per channel."""
    dequantize = defined_by(op.x, DequantizeOp)
    if dequantize is None or element_of(dequantize.q) == SI32:
        return
    lowering = Lowering(rewrite, op, quantization_of(op))
    x = lowering.quantized(op.x)
    if x.quantization == lowering.result:
        rewrite.replace(op, x.value)
    else:
        rewrite.replace(op, lowering.finish(rescale(x, lowering.result, lowering)))
