"""What the optimize phase guarantees: a float network, every value defined before it is used."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from hbir.ir.function import functions_of
from hbir.ir.verify import VerifyError, verify_module

ALLOWED_DIALECTS = ("hbir", "qnt", "hbtl", "func")
INTEGER_OPS = ("qnt.quantize", "qnt.dequantize")


class VerifyFloatPass(ModulePass):
    """Only hbir, hbtl and func ops, and fake-quants; no integers of the quantized level."""

    name = "verify-float"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify_module(op)
        for function in functions_of(op):
            for inner in function.body.block.ops:
                check_dialect(inner)


def check_dialect(op: Operation) -> None:
    """Raises VerifyError for an op that isn't of the float or qat level."""
    dialect = op.name.partition(".")[0]
    if dialect not in ALLOWED_DIALECTS or op.name in INTEGER_OPS:
        raise VerifyError(op, "this op does not belong on the float level")
