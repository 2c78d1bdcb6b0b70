"""Place `qnt.const_fake_quant` where values are to become integers, from ranges in attributes.

A value is quantized where an op of the BPU computes or reads it: fusion-group boundaries, never
inside a group. Inputs and results of CPU ops are only quantized for the BPU ops that read them. A
convolution, convtranspose or linear (with or without relu) that feeds only outputs and CPU ops,
directly or in another shape or layout, is not quantized: its 32-bit accumulator goes out as it is.

Ops that keep their operand's scale need no fake-quant of their own; the tensors they tie together
get one range. The default is symmetric int8, zero point 0.

Ranges come as the discardable attribute `observed = [low, high]` (one pair per result) on ops and
`hbir.observed` on arguments; this pass uses them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ClipOp, HardSigmoidOp, SigmoidOp, TanhOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, TransposeOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import name_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import F32, element_of
from hbir.passes.constraints import broken_constraint
from hbir.passes.disjoint_sets import DisjointSets
from hbir.passes.fake_quant import asymmetric_range, insert_fake_quant, symmetric_range
from hbir.passes.groups import group_ending_at, is_inside_group
from hbir.passes.observed import Ranges, take_observed
from hbir.passes.tables import (
    ElementFunction,
    chain_function,
    chain_starting_at,
)
from hbir.passes.ties import KEEPING_OPS, scale_sources

ANALYTIC_RANGES: dict[type[Operation], tuple[float, float]] = {
    HardSigmoidOp: (0.0, 1.0),
    SigmoidOp: (0.0, 1.0),
    SoftmaxOp: (0.0, 1.0),
    TanhOp: (-1.0, 1.0),
}
"""Ranges that follow from the function, whatever the data."""

_VARYING_SAMPLES = 4097

COARSENING_LIMIT = 2.0
"""A concat's operand that is read elsewhere too keeps its own scale when the common one would be
more than this many times coarser: a bit lost there costs more than a requantization here."""


@dataclass(frozen=True)
class PlaceFakeQuantsPass(ModulePass):
    """Insert fake-quants from the `observed` attributes, and remove those.

    With `asymmetric` a range needn't be centred: a tensor that is never negative gets twice as
    many steps, and a zero point that convert folds into biases and pad values.
    """

    name = "place-fake-quants"

    asymmetric: bool = False

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            _Placement(function, rewrite, self.asymmetric).place()


@dataclass
class _Placement:
    """What is known about the values of one function."""

    function: FuncOp
    rewrite: Rewrite
    asymmetric: bool
    observed: Ranges = field(init=False)
    on_bpu: set[Operation] = field(init=False)
    connected: DisjointSets[SSAValue] = field(default_factory=DisjointSets[SSAValue])
    """Values that are quantized together or not at all."""
    scales: DisjointSets[SSAValue] = field(default_factory=DisjointSets[SSAValue])
    """Values that get one range."""

    def __post_init__(self) -> None:
        self.observed = take_observed(self.function)
        ops = body_of(self.function).ops
        self.on_bpu = {op for op in ops if op.results and broken_constraint(op) is None}

    def place(self) -> None:
        """Decide, then insert; nothing is inserted before all is decided."""
        for op in self.on_bpu:
            for source in scale_sources(op):
                self.connected.join(source, op.results[0])
        quantized = self._quantized_sets()
        ranges = self._tie_scales()
        for value in self._sources():
            if self.connected.find(value) in quantized:
                self._insert(value, ranges[self.scales.find(value)])

    def _sources(self) -> list[SSAValue]:
        """Float values that set a scale, in program order."""
        block = body_of(self.function)
        values: list[SSAValue] = list(block.args)
        for op in block.ops:
            if isinstance(op, ConstantOp | ConstFakeQuantOp) or is_inside_group(op):
                continue
            if not (op in self.on_bpu and scale_sources(op)):
                values.extend(op.results)
        return [value for value in values if _needs_fake_quant(value)]

    def _quantized_sets(self) -> set[SSAValue]:
        """The connected sets that hold a value which a BPU op computes or reads as integers."""
        found: set[SSAValue] = set()
        for op in body_of(self.function).ops:
            if op not in self.on_bpu:
                continue
            if not isinstance(op, (*KEEPING_OPS, ConcatOp)):
                found.update(self.connected.find(value) for value in self._activations(op))
                if not is_inside_group(op) and not (
                    _has_raw_form(op) and self._goes_out(op.results[0])
                ):
                    found.add(self.connected.find(op.results[0]))
            elif isinstance(op, ConcatOp) and any(map(self._made_on_bpu, op.operands)):
                found.add(self.connected.find(op.results[0]))
        return found

    def _goes_out(self, value: SSAValue) -> bool:
        """Whether only outputs and CPU ops read the value, perhaps in another shape or layout."""
        for use in value.uses:
            reader = use.operation
            if isinstance(reader, ReshapeOp | TransposeOp):
                if not self._goes_out(reader.output):
                    return False
            elif reader in self.on_bpu:
                return False
        return True

    def _activations(self, op: Operation) -> Iterable[SSAValue]:
        """The operands that are quantized before the op: neither constants nor inside its group."""
        for value in op.operands:
            owner = value.owner
            if isinstance(owner, Operation) and (
                isinstance(owner, ConstantOp) or is_inside_group(owner)
            ):
                continue
            yield value

    def _made_on_bpu(self, value: SSAValue) -> bool:
        """Whether the value comes, perhaps moved, from an op that computes on the BPU."""
        while isinstance(value.owner, KEEPING_OPS):
            value = value.owner.operands[0]
        return isinstance(value.owner, Operation) and value.owner in self.on_bpu

    def _tie_scales(self) -> Ranges:
        """Give one range to what an op ties together, except where that hurts a concat's operand.

        Returns the range of each set, by the value that stands for it.
        """
        concats: list[ConcatOp] = []
        for op in body_of(self.function).ops:
            if isinstance(op, ConcatOp) and op in self.on_bpu:
                concats.append(op)
            elif op in self.on_bpu:
                for source in scale_sources(op):
                    self.scales.join(source, op.results[0])
        ranges = self._ranges()
        for concat in concats:
            widest = max(_magnitude(ranges.get(self.scales.find(v))) for v in concat.operands)
            for value in list(concat.operands):
                magnitude = _magnitude(ranges.get(self.scales.find(value)))
                hurts = widest > COARSENING_LIMIT * magnitude > 0
                if not (hurts and self._read_elsewhere(value, concat)):
                    self._join_ranges(ranges, value, concat.output)
        return ranges

    def _join_ranges(self, ranges: Ranges, first: SSAValue, second: SSAValue) -> None:
        parts = [ranges.pop(self.scales.find(value), None) for value in (first, second)]
        known = [part for part in parts if part is not None]
        self.scales.join(first, second)
        if known:
            ranges[self.scales.find(first)] = _union(known)

    def _read_elsewhere(self, value: SSAValue, concat: ConcatOp) -> bool:
        """Whether an op other than `concat` reads the set of `value` as integers."""
        members = self.scales.members(value)
        readers = {use.operation for member in members for use in member.uses}
        return any(r in self.on_bpu and r is not concat for r in readers if not scale_sources(r))

    def _ranges(self) -> Ranges:
        """Scale set → the union of the ranges of its sources, constants and pad values."""
        found: dict[SSAValue, list[tuple[float, float]]] = {}
        for value in self._range_holders():
            found.setdefault(self.scales.find(value), []).append(self._own_range(value))
        for op in self.on_bpu:
            if isinstance(op, PadOp):
                number: float = op.params()["pad_value"]
                found.setdefault(self.scales.find(op.output), []).append((number, number))
        return {root: _union(ranges) for root, ranges in found.items()}

    def _range_holders(self) -> list[SSAValue]:
        """The sources, and the constants that an op ties to activations."""
        tied = [
            value
            for op in body_of(self.function).ops
            if op in self.on_bpu
            for value in scale_sources(op)
            if isinstance(value.owner, ConstantOp)
        ]
        return [*self._sources(), *tied]

    def _own_range(self, value: SSAValue) -> tuple[float, float]:
        constant = self.rewrite.constant_value(value)
        if constant is not None:
            return float(constant.min()), float(constant.max())
        analytic = _analytic_range(value)
        if analytic is not None:
            return analytic
        return self._used_part(value, self.observed.get(value, (0.0, 0.0)))

    def _used_part(self, value: SSAValue, observed: tuple[float, float]) -> tuple[float, float]:
        """The part of a range in which the tables that read the value still change.

        A sigmoid's input saturates at 8 even where some element is 700.
        """
        parts: list[tuple[float, float]] = []
        for use in value.uses:
            reader = use.operation
            chain = (
                chain_starting_at(reader, self.rewrite.weights)
                if reader in self.on_bpu and isinstance(reader, TensorOp)
                else []
            )
            if not chain:
                return observed
            parts.append(varying_part(chain_function(chain, self.rewrite.weights), observed))
        return _union(parts) if parts else observed

    def _insert(self, value: SSAValue, value_range: tuple[float, float]) -> None:
        if value not in self.observed and _analytic_range(value) is None:
            raise HbirError(
                f'tensor "{name_of(value, "?")}" is to be quantized but has no observed range;'
                " run calibrate with at least one batch"
            )
        readers = list(value.uses)
        if isinstance(value.owner, Block) or value.owner not in self.on_bpu:
            # From outside the BPU: other readers keep the float.
            readers = [use for use in readers if use.operation in self.on_bpu]
        as_range = asymmetric_range if self.asymmetric else symmetric_range
        low, high = as_range(value_range)
        insert_fake_quant(self.rewrite, value, readers, minimum=low, maximum=high)


def varying_part(function: ElementFunction, whole: tuple[float, float]) -> tuple[float, float]:
    """The narrowest [low, high] outside of which a function keeps, within a quarter of an int8 step
    of its own range, the values it has at `low` and `high`."""
    x = np.linspace(whole[0], whole[1], _VARYING_SAMPLES)
    with np.errstate(all="ignore"):
        y = function(x)
    if not np.isfinite(y).all() or whole[0] >= whole[1]:
        return whole
    tolerance = (y.max() - y.min()) / (4 * 255)
    varies_below = np.flatnonzero(np.abs(y - y[0]) > tolerance)
    varies_above = np.flatnonzero(np.abs(y - y[-1]) > tolerance)
    if not varies_below.size or not varies_above.size:
        return whole
    first = max(int(varies_below[0]) - 1, 0)
    last = min(int(varies_above[-1]) + 1, x.size - 1)
    return float(x[first]), float(x[last])


def _union(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _magnitude(value_range: tuple[float, float] | None) -> float:
    return 0.0 if value_range is None else max(abs(value_range[0]), abs(value_range[1]))


def _analytic_range(value: SSAValue) -> tuple[float, float] | None:
    owner = value.owner
    return ANALYTIC_RANGES.get(type(owner)) if isinstance(owner, Operation) else None


def _needs_fake_quant(value: SSAValue) -> bool:
    """A float value that nothing has quantized yet."""
    if element_of(value) != F32 or value.first_use is None:
        return False
    return not any(isinstance(use.operation, ConstFakeQuantOp) for use in value.uses)


def _has_raw_form(op: Operation) -> bool:
    """Whether the op ends a group whose accumulator can go out unquantized: no upper bound.

    A bound would be another integer for each channel of the accumulator.
    """
    group = group_ending_at(op)
    return group is not None and not isinstance(group.activation, ClipOp)
