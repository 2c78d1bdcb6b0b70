"""Find adaptive average pools that an exporter took apart.

Where windows overlap or differ in size, ONNX has no op for them. PyTorch's exporter gathers every
element of every window and takes their mean; or, where some windows are smaller, masks what is no
element of theirs, adds all up element by element, and divides by the counts. The gather has no
place on the BPU; a mean per row and per column of windows does, which is also what the import from
PyTorch makes.

The sum is understood by computing with labels: each element is the number of the source's element
that it is, and the moves, gathers and masks between are run on these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.comparison import WhereOp
from hbir.dialects.hbir.elementwise import AddOp, DivOp
from hbir.dialects.hbir.index import GatherNdOp
from hbir.dialects.hbir.move import ConcatOp, ReshapeOp, SliceOp, TransposeOp
from hbir.dialects.hbir.reduce import ReduceMeanOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.kernels.table import execute
from hbir.passes.graph import defined_by, derive_origin, splat
from hbir.passes.permutation import inverse

NOTHING = -1
"""The label of a masked element."""

LABELS_MAX = 1 << 26
"""Labels that one sum may have; larger ones are left as they are."""

Window = tuple[int, int]
"""Its first element, and the one after its last."""


class RecognizeAdaptivePoolPass(ModulePass):
    """A sum of gathered elements over their count: means over windows of rows and of columns."""

    name = "recognize-adaptive-pool"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {DivOp: quotient_to_means, ReduceMeanOp: mean_to_means})


def quotient_to_means(op: DivOp, rewrite: Rewrite) -> None:
    """(element + element + ...) / count."""
    counts = rewrite.constant_value(op.rhs)
    terms = _terms(op.lhs)
    shape = shape_of(op.output)
    if counts is None or len(terms) < 2 or len(terms) * math.prod(shape) > LABELS_MAX:
        return
    labelled = _Labels(rewrite)
    labels: list[Array] = []
    for term in terms:
        found = labelled.of(term)
        if found is None or found.shape != shape:
            return
        labels.append(found)
    _replace(op, labelled, np.stack(labels), np.broadcast_to(counts, shape), rewrite)


def mean_to_means(op: ReduceMeanOp, rewrite: Rewrite) -> None:
    """The mean over the elements of windows, where none needed a mask."""
    if math.prod(shape_of(op.x)) > LABELS_MAX or not op.x.has_one_use():
        return
    labelled = _Labels(rewrite)
    labels = labelled.of(op.x)
    if labels is None:
        return
    dims: tuple[int, ...] = op.params()["dims"]
    axes = [axis % labels.ndim for axis in dims]
    shape = shape_of(op.output)
    terms = np.moveaxis(labels, axes, range(len(axes))).reshape(-1, *shape)
    _replace(op, labelled, terms, np.full(shape, len(terms)), rewrite)


def _replace(
    op: TensorOp, labelled: _Labels, labels: Array, counts: Array, rewrite: Rewrite
) -> None:
    """Put means of the windows that the labels make in the place of `op`, if they make some."""
    if labelled.root is None:
        return
    windows = _windows(labels, counts, shape_of(labelled.root))
    if windows is None:
        return
    value = labelled.root
    for axis, (_, parts) in enumerate(windows):
        if parts != [(index, index + 1) for index in range(shape_of(value)[axis])]:
            value = _means(op, rewrite, value, axis, parts)
    dims = inverse([axis for axis, _ in windows])
    rewrite.replace(op, TransposeOp.make(value, dims=dims))


def _terms(value: SSAValue) -> list[SSAValue]:
    """What a tree of additions adds."""
    found: list[SSAValue] = []
    stack = [value]
    while stack:
        top = stack.pop()
        addition = defined_by(top, AddOp)
        if addition is None:
            found.append(top)
        else:
            stack += [addition.rhs, addition.lhs]
    return found


@dataclass
class _Labels:
    """Which element of `root` each element of a value is."""

    rewrite: Rewrite
    root: SSAValue | None = None
    known: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])

    def of(self, value: SSAValue) -> Array | None:
        """None for what isn't gathered from the one root, moved and masked."""
        path: list[tuple[TensorOp, SSAValue]] = []
        while value not in self.known:
            step = self._step(value)
            if step is None:
                break
            path.append(step)
            value = step[1]
        if value not in self.known:
            if self.root is not None or not any(isinstance(op, GatherNdOp) for op, _ in path):
                return None
            self.root = value
            shape = shape_of(value)
            self.known[value] = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
        labels = self.known[value]
        for op, source in reversed(path):
            arrays = [self._array(op, operand, source, labels) for operand in op.operands]
            labels = execute(op.name, arrays, op.params())
            self.known[op.output] = labels
        return labels

    def _step(self, value: SSAValue) -> tuple[TensorOp, SSAValue] | None:
        """The op that moves or masks elements into `value`, and where they are from."""
        op = value.owner
        if isinstance(op, SliceOp | ReshapeOp | TransposeOp):
            return op, op.x
        if isinstance(op, GatherNdOp) and self._constant(op.index):
            return op, op.x
        if isinstance(op, WhereOp) and self._constant(op.condition):
            for masked, kept in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
                if splat(self.rewrite.constant_value(masked)) == 0:
                    return op, kept
        return None

    def _array(self, op: TensorOp, operand: SSAValue, source: SSAValue, labels: Array) -> Array:
        if operand is source:
            return labels
        array = self.rewrite.constant_value(operand)
        is_masked = isinstance(op, WhereOp) and operand is not op.condition
        return np.full((1,), NOTHING) if is_masked or array is None else array

    def _constant(self, value: SSAValue) -> bool:
        return self.rewrite.constant_value(value) is not None


def _windows(
    labels: Array, counts: Array, source: tuple[int, ...]
) -> list[tuple[int, list[Window]]] | None:
    """For each axis of the source, the axis of the result that counts its windows, and these.

    labels: (terms, result...). None where some element isn't the mean of a box of the source, or
    boxes aren't the products of windows.
    """
    present = labels != NOTHING
    in_order = np.sort(labels, axis=0)
    twice = (in_order[1:] == in_order[:-1]) & (in_order[1:] != NOTHING)
    if twice.any() or not np.array_equal(present.sum(axis=0), counts):
        return None
    volume = np.ones(counts.shape, np.int64)
    found: list[tuple[int, list[Window]]] = []
    free = list(range(counts.ndim))
    rest = labels
    extents: list[tuple[Array, Array]] = []
    for size in reversed(source):
        rest, place = np.divmod(rest, size)
        low = np.where(present, place, size).min(axis=0)
        high = np.where(present, place, -1).max(axis=0)
        volume *= high - low + 1
        extents.insert(0, (low, high))
    if not np.array_equal(volume, counts) or len(source) != counts.ndim:
        return None
    for low, high in extents:
        axis = next((a for a in free if _varies_along(low, a) or _varies_along(high, a)), None)
        if axis is None:
            axis = next((a for a in free if counts.shape[a] == 1), None)
        if axis is None:
            return None
        free.remove(axis)
        lows, highs = (_along(bound, axis) for bound in (low, high))
        if lows is None or highs is None:
            return None
        found.append((axis, list(zip(lows, [high + 1 for high in highs], strict=True))))
    return found


def _varies_along(array: Array, axis: int) -> bool:
    return bool((array != array.take([0], axis=axis)).any())


def _along(array: Array, axis: int) -> list[int] | None:
    """The values along an axis; None where they vary along another one as well."""
    others = tuple(a for a in range(array.ndim) if a != axis)
    low, high = array.min(axis=others), array.max(axis=others)
    return low.tolist() if np.array_equal(low, high) else None


def _means(
    op: TensorOp, rewrite: Rewrite, value: SSAValue, axis: int, windows: Sequence[Window]
) -> SSAValue:
    shape = shape_of(value)
    parts: list[SSAValue] = []
    for index, window in enumerate(windows):
        begin, end = [0] * len(shape), list(shape)
        begin[axis], end[axis] = window
        name = f"{axis}_{index}"
        part = _add(op, rewrite, SliceOp.make(value, begin=begin, end=end), f"slice{name}")
        mean = ReduceMeanOp.make(part, dims=[axis], keep_dim=True)
        parts.append(_add(op, rewrite, mean, f"mean{name}"))
    if len(parts) == 1:
        return parts[0]
    return _add(op, rewrite, ConcatOp.make(*parts, dim=axis), f"means{axis}")


def _add(op: Operation, rewrite: Rewrite, new: TensorOp, name: str) -> SSAValue:
    derive_origin(new, op, name)
    return rewrite.insert(new, before=op).output
