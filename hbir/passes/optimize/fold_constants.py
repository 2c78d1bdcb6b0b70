"""Compute at compile time what depends on constants alone.

The kernels are what computes it, so a folded op gives exactly the bits it would have given.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.context import weights_of
from hbir.ir.function import functions_of
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array, byte_size
from hbir.kernels.table import execute, has_kernel


@dataclass(frozen=True)
class FoldConstantsPass(ModulePass):
    """Replace ops whose operands are all constants by their value.

    An op is left alone when its result is larger than `growth_limit_bytes` and larger than all its
    operands together: a broadcast is cheaper to compute than to store.
    """

    name = "fold-constants"

    growth_limit_bytes: int = 65536

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        store = weights_of(ctx)
        for function in functions_of(op):
            # One forward sweep is enough: operands are folded before what reads them.
            for inner in list(function.body.block.ops):
                if not isinstance(inner, TensorOp) or not self._foldable(inner):
                    continue
                arrays = [rewrite.constant_value(operand) for operand in inner.operands]
                known: list[Array] = [array for array in arrays if array is not None]
                if len(known) != len(arrays) or not known:
                    continue
                value = execute(inner.name, known, inner.params())
                rewrite.replace(inner, ConstantOp.make(values=store.attribute(value)))

    def _foldable(self, op: TensorOp) -> bool:
        """Fake-quants aren't: they say how the constant is to be quantized."""
        if not op.name.startswith("hbir.") or isinstance(op, ConstantOp):
            return False
        if not op.has_trait(Pure) or not has_kernel(op.name):
            return False
        size = byte_size(op.output)
        return size <= self.growth_limit_bytes or size <= sum(map(byte_size, op.operands))
