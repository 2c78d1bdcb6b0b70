"""The one rewriter of all passes: it replaces, fuses and erases ops and keeps their origins.

xDSL's rewriter drops the location of what it replaces. Here the value that takes another's place
takes its origin too, with the source nodes of everything that was fused into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from hbir.errors import HbirError
from hbir.ir.context import weights_of
from hbir.ir.function import functions_of, update_function_type
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin, origin_of_op, set_origin
from hbir.ir.types import Array

OpT = TypeVar("OpT", bound=TensorOp)

MAX_SWEEPS = 64
"""Sweeps after which a set of patterns counts as never settling."""


class Rewrite:
    """Changes a module in place. Patterns get one and change the IR through it alone."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.weights = weights_of(ctx)
        self.changed = False

    def insert(self, op: OpT, *, before: Operation) -> OpT:
        """Insert a made op before another."""
        Rewriter.insert_op(op, InsertPoint.before(before))
        self.changed = True
        return op

    def insert_all(self, ops: Sequence[Operation], *, before: Operation) -> None:
        """Insert made ops, in order, before another."""
        Rewriter.insert_op(list(ops), InsertPoint.before(before))
        self.changed = True

    def constant(
        self, array: Array, *, before: Operation, origin: Origin | None = None
    ) -> SSAValue:
        """A constant of `array`, inserted before `before`."""
        constant_op = cast(type[TensorOp], self._ctx.get_op("hbir.constant"))
        op = constant_op.make(values=self.weights.attribute(array), origin=origin)
        return self.insert(op, before=before).output

    def constant_value(self, value: SSAValue) -> Array | None:
        """The array of a value that an `hbir.constant` defines; None for any other value."""
        if isinstance(value, OpResult) and value.op.name == "hbir.constant":
            return self.weights.array(value.op.properties["values"])
        return None

    def replace(
        self,
        op: Operation,
        new: Operation | SSAValue,
        *,
        also: Iterable[Operation] = (),
        origin: Origin | None = None,
    ) -> None:
        """Put `new` in the place of `op`'s one result, and erase `op` and `also`.

        `new` is a value, or an op (inserted before `op` if it stands nowhere yet). An op that is
        newly made takes the origin of `op`, with the source nodes of `also` and of `op`; `origin`
        overrules. A value that was there before keeps its own. `also` are the ops fused into
        `new`, users first, so that none has uses left when its turn comes; those that still have
        uses stay.
        """
        fused = list(also)
        if isinstance(new, Operation):
            if new.parent is None:
                self.insert_all([new], before=op)
            self.inherit(new, op, fused, origin)
        value = SSAValue.get(new)
        old = op.results[0]
        if value.name_hint is None:
            value.name_hint = old.name_hint
        old.replace_all_uses_with(value)
        self.erase(op)
        for other in fused:
            if other.parent is not None and not any(r.first_use for r in other.results):
                self.erase(other)

    def inherit(
        self,
        new: Operation,
        op: Operation,
        also: Iterable[Operation] = (),
        origin: Origin | None = None,
    ) -> None:
        """Give `new` the origin of `op`, with the source nodes of `also` (users first) fused in."""
        base = origin or self._combined(op, new)
        if base is None:
            return
        computed_first = reversed(list(also))
        others = [o for o in map(origin_of_op, computed_first) if o is not None]
        set_origin(new, base.fused_with(others))

    @staticmethod
    def _combined(op: Operation, new: Operation) -> Origin | None:
        """`op`'s origin; where `new` was made with one, that, plus `op`'s source nodes."""
        mine, theirs = origin_of_op(new), origin_of_op(op)
        if mine is None or theirs is None:
            return mine or theirs
        return replace(mine, nodes=theirs.fused_with([mine]).nodes)

    def erase(self, op: Operation) -> None:
        """Erase an op that has no uses left."""
        Rewriter.erase_op(op)
        self.changed = True


Pattern: TypeAlias = Callable[[Any, Rewrite], None]
"""A function of (op, rewrite). It may replace the op, ops above it, and insert before it."""


def apply_patterns(
    ctx: Context, module: ModuleOp, patterns: Mapping[type[Operation], Pattern | Sequence[Pattern]]
) -> bool:
    """Apply patterns, looked up by the op's class, in forward sweeps until nothing changes.

    Returns whether anything changed. Raises HbirError when they don't settle.
    """
    table = {
        kind: (entry,) if callable(entry) else tuple(entry) for kind, entry in patterns.items()
    }
    rewrite = Rewrite(ctx)
    for sweep in range(MAX_SWEEPS):
        rewrite.changed = False
        for function in functions_of(module):
            _sweep(function, table, rewrite)
        if not rewrite.changed:
            return sweep > 0
    names = ", ".join(sorted(kind.name for kind in table))
    raise HbirError(f"rewrites of {names} still change the module after {MAX_SWEEPS} sweeps")


def _sweep(
    function: FuncOp, table: Mapping[type[Operation], Sequence[Pattern]], rewrite: Rewrite
) -> None:
    for block in function.body.blocks:
        for op in list(block.ops):
            for pattern in table.get(type(op), ()):
                if op.parent is None:
                    break
                pattern(op, rewrite)
    if rewrite.changed:
        update_function_type(function)


def erase_dead_ops(module: ModuleOp) -> bool:
    """Erase tensor ops without uses, last first; returns whether any was."""
    erased = False
    for function in functions_of(module):
        for block in function.body.blocks:
            erased = _erase_dead_in(block) or erased
    return erased


def _erase_dead_in(block: Block) -> bool:
    erased = False
    for op in reversed(list(block.ops)):
        if op.results and not any(result.first_use for result in op.results):
            Rewriter.erase_op(op)
            erased = True
    return erased
