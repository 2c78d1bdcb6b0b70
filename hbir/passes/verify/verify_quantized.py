"""What convert hands to the schedule: integers whose arithmetic is proven, floats at the edges."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import VerifyException

from hbir.dialects.bpu.checks import check_accumulator_bound, check_multipliers
from hbir.dialects.hbtl import CallOp
from hbir.ir.context import weights_of
from hbir.ir.function import functions_of
from hbir.ir.verify import VerifyError, verify_module
from hbir.ir.weights import WeightStore

ALLOWED_OPS = ("hbir.constant", "qnt.quantize", "qnt.dequantize", "hbtl.call", "func.return")


class VerifyQuantizedPass(ModulePass):
    """Only bpu ops, constants, quantize and dequantize, and CPU calls that say why.

    No accumulator can overflow with the actual weights, and every multiplier agrees with the scales
    in the origins to 2^-14.
    """

    name = "verify-quantized"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify_module(op)
        weights = weights_of(ctx)
        for function in functions_of(op):
            for inner in function.body.block.ops:
                _check(inner, weights)


def _check(op: Operation, weights: WeightStore) -> None:
    if not op.name.startswith("bpu.") and op.name not in ALLOWED_OPS:
        raise VerifyError(op, "this op does not belong on the quantized level")
    if isinstance(op, CallOp) and not op.reason.data:
        raise VerifyError(op, "a CPU op must say why it is not on the BPU (reason)")
    try:
        check_accumulator_bound(op, weights)
        check_multipliers(op, weights)
    except VerifyException as error:
        raise VerifyError(op, str(error)) from error
