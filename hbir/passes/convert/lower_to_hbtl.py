"""Make CPU calls of the float ops that are left, with the reason `place-ops` found.

What they read from the BPU is dequantized before them, what the BPU reads of theirs quantized after
them; both are in place by now.
"""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import make_native_call
from hbir.ir.function import functions_of
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite
from hbir.passes.convert.place_ops import REASON
from hbir.passes.fake_quant import is_fake_quant


class LowerToHbtlPass(ModulePass):
    """hbir.softmax becomes hbtl.call "native::hbir.softmax"."""

    name = "lower-to-hbtl"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            for inner in list(function.body.block.ops):
                if not isinstance(inner, TensorOp) or isinstance(inner, ConstantOp):
                    continue
                if inner.output.first_use is None:
                    continue
                if inner.name.startswith("hbir.") or is_fake_quant(inner):
                    _lower(inner, rewrite)


def _lower(op: TensorOp, rewrite: Rewrite) -> None:
    reason = op.attributes.get(REASON)
    text = reason.data if isinstance(reason, StringAttr) else _default_reason(op)
    rewrite.replace(op, make_native_call(op, reason=text))


def _default_reason(op: TensorOp) -> str:
    if is_fake_quant(op):
        return "it fake-quantizes the weights of an op on the CPU"
    return f"{op.name} was not placed on the BPU"
