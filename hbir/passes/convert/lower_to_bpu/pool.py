"""Max and average pooling. Ceil mode becomes end pads."""

from __future__ import annotations

from math import prod

from xdsl.ir import Operation

from hbir.dialects.bpu.pool import AvgPoolOp as BpuAvgPoolOp
from hbir.dialects.bpu.pool import MaxPoolOp as BpuMaxPoolOp
from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.ir.op import TensorOp
from hbir.kernels.parameters import avg_pool_qpp
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction
from hbir.passes.convert.lower_to_bpu.move import keep_scale
from hbir.passes.pads import explicit_pads, overhang


def lower_max_pool(op: MaxPoolOp, lowering: Lowering) -> TensorOp:
    """bpu.max_pool, in the operand's scale."""
    x = lowering.quantized(op.x)
    params = op.params()
    new = BpuMaxPoolOp.make(
        x.value,
        kernel=params["kernel"],
        stride=params["stride"],
        pad=explicit_pads(op),
        dilation=params["dilation"],
    )
    return keep_scale(new, x, lowering)


def lower_avg_pool(op: AvgPoolOp, lowering: Lowering) -> TensorOp:
    """bpu.avg_pool; where padding doesn't count, a multiplier per number of elements inside."""
    x = lowering.quantized(op.x)
    params, pads = op.params(), explicit_pads(op)
    counts_all = not any(pads) or (params["count_include_pad"] and not any(overhang(op)))
    qpp = avg_pool_qpp(
        x.scale,
        lowering.result.scale,
        prod(params["kernel"]),
        exclude_pad=not counts_all,
        output_bits=lowering.result.bits,
    )
    new = BpuAvgPoolOp.make(
        x.value,
        lowering.constant(qpp, name="qpp"),
        element=lowering.element,
        kernel=params["kernel"],
        stride=params["stride"],
        pad=pads,
        input_zero_point=x.zero_point,
        output_zero_point=lowering.result.zero_point,
        count_include_pad=counts_all,
    )
    return lowering.finish(new)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    MaxPoolOp: lower_max_pool,
    AvgPoolOp: lower_avg_pool,
}
