"""Layer norm and root-mean-square norm over the last axis, as bpu.layernorm."""

from __future__ import annotations

from xdsl.ir import Operation

from hbir.dialects.bpu.layernorm import LayernormOp as BpuLayernormOp
from hbir.dialects.hbir.layernorm import LayernormOp, RmsNormOp
from hbir.ir.op import TensorOp
from hbir.ir.types import shape_of
from hbir.kernels.norm_parameters import layernorm_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction


def lower_norm(op: LayernormOp | RmsNormOp, lowering: Lowering) -> TensorOp:
    """bpu.layernorm; a mean taken off makes the input's zero point irrelevant."""
    x = lowering.quantized(op.x)
    centred = isinstance(op, LayernormOp)
    parameters = layernorm_parameters(
        x.scale,
        lowering.result.scale,
        shape_of(op.x)[-1],
        eps=op.params()["eps"],
        weight=lowering.constant_of(op.weight, 1.0),
        bias=lowering.constant_of(op.bias, 0.0),
    )
    new = BpuLayernormOp.make(
        x.value,
        lowering.constant(parameters.affine, name="affine"),
        lowering.constant(parameters.rsqrt_table, name="rsqrt_table"),
        element=lowering.element,
        shift=parameters.shift,
        epsilon=parameters.epsilon,
        center=centred,
        input_zero_point=0 if centred else x.zero_point,
        output_zero_point=lowering.result.zero_point,
    )
    return lowering.finish(new)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    LayernormOp: lower_norm,
    RmsNormOp: lower_norm,
}
