"""Einsum of one or two tensors, as reductions, transposes and one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.ir import SSAValue

from hbir.frontends.emitter import Emitter
from hbir.frontends.errors import NoBpuForm
from hbir.ir.types import shape_of

_ELLIPSIS_LETTERS = "ABCDEFGHIJ"
"""Stand for the axes of `...`, aligned at the last, where the equation doesn't use them itself."""


@dataclass(frozen=True)
class _Term:
    """A tensor and the letter of each of its axes."""

    value: SSAValue
    axes: str

    def extent(self, axes: str) -> list[int]:
        """The extents of these axes."""
        shape = shape_of(self.value)
        return [shape[self.axes.index(axis)] for axis in axes]


def einsum(emitter: Emitter, equation: str, operands: Sequence[SSAValue]) -> SSAValue:
    """matmul where two operands share a summed axis, else mul; around it, moves.

    A letter may stand once in each operand: a diagonal has no form on the BPU. Raises NoBpuForm for
    that, for three operands and more, and for equations that don't fit the operands.
    """
    ranks = [len(shape_of(value)) for value in operands]
    names, output = _letters(equation, ranks)
    if len(names) > 2:
        raise NoBpuForm(f"it must have one or two operands, it has {len(names)}")
    terms = [_Term(value, axes) for value, axes in zip(operands, names, strict=True)]
    terms = [_summed(emitter, term, terms, output) for term in terms]
    result = terms[0]
    if len(terms) == 2:
        result = _product(emitter, result, terms[1], output)
    if result.axes == output:
        return emitter.result("reshape", result.value, shape=list(shape_of(result.value)))
    dims = [result.axes.index(axis) for axis in output]
    return emitter.result("transpose", result.value, dims=dims)


def _letters(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The axes of each operand and of the result, a letter each, `...` spelled out."""
    text = equation.replace(" ", "")
    left, arrow, output = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise NoBpuForm(f"equation {equation!r} names {len(terms)} operands, it has {len(ranks)}")
    longest = 0
    for term, rank in zip(terms, ranks, strict=True):
        covered = rank - len(term.replace("...", ""))
        if covered < 0 or (covered > 0 and "..." not in term):
            raise NoBpuForm(f"equation {equation!r} doesn't fit operands of rank {ranks}")
        longest = max(longest, covered)
    spare = [letter for letter in _ELLIPSIS_LETTERS if letter not in text]
    if longest > len(spare):
        raise NoBpuForm(f"equation {equation!r} covers too many axes by its ellipsis")
    covers = "".join(spare[:longest])
    expanded: list[str] = []
    for term, rank in zip(terms, ranks, strict=True):
        count = rank - len(term.replace("...", ""))
        expanded.append(term.replace("...", covers[longest - count :]))
    if not arrow:
        single = sorted(c for c in set(left) - set(".,") if left.count(c) == 1)
        output = ("..." if "..." in left else "") + "".join(single)
    output = output.replace("...", covers)
    if any(len(set(term)) < len(term) for term in (*expanded, output)):
        raise NoBpuForm(f"equation {equation!r} repeats an axis of one tensor")
    if not set(output) <= set("".join(expanded)):
        raise NoBpuForm(f"equation {equation!r} has an axis in its result that no operand has")
    return expanded, output


def _summed(emitter: Emitter, term: _Term, terms: list[_Term], output: str) -> _Term:
    """The term without the axes that neither another term nor the result has."""
    others = output + "".join(other.axes for other in terms if other is not term)
    dims = [index for index, axis in enumerate(term.axes) if axis not in others]
    if not dims:
        return term
    axes = "".join(axis for axis in term.axes if axis in others)
    return _Term(emitter.emit("reduce_sum", term.value, dims=dims, keep_dim=False), axes)


def _product(emitter: Emitter, lhs: _Term, rhs: _Term, output: str) -> _Term:
    shared = [axis for axis in lhs.axes if axis in rhs.axes]
    for axis in shared:
        if lhs.extent(axis) != rhs.extent(axis):
            raise NoBpuForm(f"axis {axis!r} broadcasts: {lhs.extent(axis)} and {rhs.extent(axis)}")
    batch = "".join(axis for axis in shared if axis in output)
    summed = "".join(axis for axis in shared if axis not in output)
    rows = "".join(axis for axis in lhs.axes if axis not in rhs.axes)
    columns = "".join(axis for axis in rhs.axes if axis not in lhs.axes)
    if not summed:
        left = _arranged(emitter, lhs, [batch, rows, ""], trailing=len(columns))
        right = _arranged(emitter, rhs, [batch, "", columns], leading=len(rows))
        return _Term(emitter.emit("mul", left, right), batch + rows + columns)
    batch_shape = lhs.extent(batch)
    left = _matrix(emitter, lhs, batch, rows, summed)
    right = _matrix(emitter, rhs, batch, summed, columns)
    product = emitter.emit("matmul", left, right)
    shape = [*batch_shape, *lhs.extent(rows), *rhs.extent(columns)]
    return _Term(emitter.reshape(product, shape), batch + rows + columns)


def _matrix(emitter: Emitter, term: _Term, batch: str, rows: str, columns: str) -> SSAValue:
    """The term as (batch..., rows, columns), each of the latter in one axis."""
    moved = emitter.transpose(
        term.value, [term.axes.index(axis) for axis in batch + rows + columns]
    )
    shape = [*term.extent(batch), prod(term.extent(rows)), prod(term.extent(columns))]
    return emitter.reshape(moved, shape)


def _arranged(
    emitter: Emitter, term: _Term, parts: list[str], *, leading: int = 0, trailing: int = 0
) -> SSAValue:
    """The term as (batch..., rows..., columns...), with extents of 1 for the axes it lacks."""
    axes = "".join(parts)
    moved = emitter.transpose(term.value, [term.axes.index(axis) for axis in axes])
    batch = term.extent(parts[0])
    rest = term.extent("".join(parts[1:]))
    return emitter.reshape(moved, [*batch, *[1] * leading, *rest, *[1] * trailing])
