"""Reductions over whole dimensions, and softmax, which the BPU has over the last dimension."""

from __future__ import annotations

from math import prod

from xdsl.ir import Operation

from hbir.dialects.bpu.move import TransposeOp
from hbir.dialects.bpu.reduce import ReduceMaxOp as BpuReduceMaxOp
from hbir.dialects.bpu.reduce import ReduceMeanOp as BpuReduceMeanOp
from hbir.dialects.bpu.reduce import ReduceMinOp as BpuReduceMinOp
from hbir.dialects.bpu.reduce import ReduceSumOp as BpuReduceSumOp
from hbir.dialects.bpu.softmax import SoftmaxOp as BpuSoftmaxOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.hbir.reduce import ReduceMaxOp, ReduceMeanOp, ReduceMinOp, ReduceSumOp
from hbir.ir.op import TensorOp
from hbir.ir.types import shape_of
from hbir.kernels.norm_parameters import SOFTMAX_COARSEST_SCALE, softmax_parameters
from hbir.kernels.parameters import reduce_mean_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction
from hbir.passes.convert.lower_to_bpu.move import keep_scale, rescale
from hbir.passes.fake_quant import Quantization

OWN_SCALE_8, OWN_SCALE_16 = Quantization(2.0**-8, -128, 8), Quantization(2.0**-15, 0, 16)
"""Of results in 0..1."""


def lower_sum(op: ReduceMeanOp | ReduceSumOp, lowering: Lowering) -> TensorOp:
    """bpu.reduce_mean, bpu.reduce_sum."""
    x = lowering.quantized(op.x)
    shape, params = shape_of(op.x), op.params()
    given: tuple[int, ...] = params["dims"]
    dims = sorted({dim % len(shape) for dim in given})
    is_mean = isinstance(op, ReduceMeanOp)
    count = prod(shape[dim] for dim in dims) if is_mean else 1
    kind = BpuReduceMeanOp if is_mean else BpuReduceSumOp
    new = kind.make(
        x.value,
        element=lowering.element,
        dims=dims,
        keep_dim=params["keep_dim"],
        input_zero_point=x.zero_point,
        output_zero_point=lowering.result.zero_point,
        **reduce_mean_parameters(
            x.scale, lowering.result.scale, count, output_bits=lowering.result.bits
        ),
    )
    return lowering.finish(new)


def lower_extreme(op: ReduceMaxOp | ReduceMinOp, lowering: Lowering) -> TensorOp:
    """bpu.reduce_max, bpu.reduce_min."""
    x, params = lowering.quantized(op.x), op.params()
    kind = BpuReduceMaxOp if isinstance(op, ReduceMaxOp) else BpuReduceMinOp
    new = kind.make(x.value, dims=params["dims"], keep_dim=params["keep_dim"])
    return keep_scale(new, x, lowering)


def lower_softmax(op: SoftmaxOp, lowering: Lowering) -> TensorOp:
    """bpu.softmax over the last dimension; another one is transposed there and back.

    Where the result shares the scale of large numbers, as joined to boxes in pixels, which is more
    than the op can shift by, it gets a scale of its own first.
    """
    x = lowering.quantized(op.x)
    how = lowering.result
    if how.scale > SOFTMAX_COARSEST_SCALE:
        how = OWN_SCALE_16 if how.bits > 8 else OWN_SCALE_8
    rank = len(shape_of(op.x))
    dim: int = op.params()["dim"] % rank
    swap = list(range(rank))
    swap[dim], swap[-1] = swap[-1], swap[dim]
    if dim != rank - 1:
        x = lowering.step(TransposeOp.make(x.value, dims=swap), x, "transposed")
    parameters = softmax_parameters(
        x.scale, how.scale, shape_of(op.x)[dim], input_bits=x.quantization.bits
    )
    softmax = BpuSoftmaxOp.make(
        x.value,
        lowering.constant(parameters.exp_table, name="exp_table"),
        lowering.constant(parameters.reciprocal_table, name="reciprocal_table"),
        element=lowering.element,
        dim=rank - 1,
        multiplier=parameters.multiplier,
        shift=parameters.shift,
        exp_multiplier=parameters.exp_multiplier,
        exp_shift=parameters.exp_shift,
        output_zero_point=how.zero_point,
    )
    if how != lowering.result:
        result = lowering.made(softmax, how, "softmax")
        last: TensorOp = rescale(result, lowering.result, lowering)
    else:
        last = softmax
    lowering.finish(last)
    if dim == rank - 1:
        return last
    return lowering.finish(TransposeOp.make(lowering.insert(last), dims=swap))


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    ReduceMeanOp: lower_sum,
    ReduceSumOp: lower_sum,
    ReduceMaxOp: lower_extreme,
    ReduceMinOp: lower_extreme,
    SoftmaxOp: lower_softmax,
}
