"""Erase ops whose results nobody reads."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.ir.rewriter import erase_dead_ops


class DeadCodeEliminationPass(ModulePass):
    """Erase unused ops, last first, so that whole chains go at once. Inputs stay."""

    name = "dead-code-elimination"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        erase_dead_ops(op)
