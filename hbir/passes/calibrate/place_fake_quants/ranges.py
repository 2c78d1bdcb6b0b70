"""Which range a value is quantized over: its function's, its constant's, or what was observed."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.activation import (
    HardSigmoidOp,
    SigmoidOp,
    SoftsignOp,
    TanhOp,
)
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.hbir.unary import CosOp, ErfOp, SignOp, SinOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import SI8, element_of
from hbir.passes.calibrate.place_fake_quants.widths import NARROW_BITS, WIDE_BITS
from hbir.passes.constraints.comparison import COMPARISON_OPS
from hbir.passes.observed import Ranges, take_extremes, take_observed
from hbir.passes.sampling import coordinates_read
from hbir.passes.softmax_ranges import filled_range, probability_range, seen_by_softmax
from hbir.passes.tables import chain_function, chain_starting_at, varying_part
from hbir.passes.ties import INDEXING_OPS

ANALYTIC_RANGES: dict[type[Operation], tuple[float, float]] = {
    HardSigmoidOp: (0.0, 1.0),
    SigmoidOp: (0.0, 1.0),
    TanhOp: (-1.0, 1.0),
    **dict.fromkeys((ErfOp, SinOp, CosOp, SignOp, SoftsignOp), (-1.0, 1.0)),
    **dict.fromkeys(COMPARISON_OPS, (0.0, 1.0)),
}
"""Ranges that follow from the function, whatever the data."""

SIGNED_BYTES = (-128.0, 127.0)
"""What an si8 can be; with a range of its own, its scale is 1."""


@dataclass(frozen=True)
class ValueRanges:
    """The ranges of single values, before some of them are tied together.

    observed: over the calibration data. extremes: what 16 bits must hold. on_bpu: the ops that
    compute there, whose tables need no more of a range than they change in.
    """

    observed: Ranges
    extremes: Ranges
    on_bpu: Container[Operation]
    rewrite: Rewrite

    @classmethod
    def taken_from(
        cls, function: FuncOp, on_bpu: Container[Operation], rewrite: Rewrite
    ) -> ValueRanges:
        """Those in the attributes of a function, which are used up."""
        observed = take_observed(function)
        return cls(observed, take_extremes(function) or observed, on_bpu, rewrite)

    def of(self, value: SSAValue, *, wide: bool) -> tuple[float, float]:
        """The range of a value; wide: for 16 bits."""
        constant = self.rewrite.constant_value(value)
        if constant is not None:
            return filled_range(value, constant, self.observed)
        analytic = _analytic_range(value)
        if analytic is not None:
            return analytic
        if isinstance(value.owner, INDEXING_OPS):  # of a table, whose other rows come up later
            return self.of(value.owner.x, wide=wide)
        observed = self.extremes if wide else self.observed
        if isinstance(value.owner, SoftmaxOp):
            return probability_range(self.extremes.get(value, (0.0, 1.0)))
        steps = (1 << (WIDE_BITS if wide else NARROW_BITS)) - 1
        seen = seen_by_softmax(value, observed, self.rewrite.weights)
        return self._used_part(value, seen, steps)

    def is_known(self, value: SSAValue) -> bool:
        """Whether the value's range was observed, or follows from its function."""
        return value in self.observed or _analytic_range(value) is not None

    def _used_part(
        self, value: SSAValue, observed: tuple[float, float], steps: int
    ) -> tuple[float, float]:
        """The part of a range in which the tables and samples that read the value still change.

        A sigmoid's input saturates at 8 even where some element is 700.
        """
        parts: list[tuple[float, float]] = []
        for use in value.uses:
            reader = use.operation
            if isinstance(reader, GridSampleOp) and value == reader.grid:
                parts.append(coordinates_read(reader, observed))
                continue
            chain = (
                chain_starting_at(reader, self.rewrite.weights)
                if reader in self.on_bpu and isinstance(reader, TensorOp)
                else []
            )
            if not chain:
                return observed
            function = chain_function(chain, self.rewrite.weights)
            parts.append(varying_part(function, observed, steps))
        return union(parts) if parts else observed


def union(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The smallest range that holds all of `ranges`."""
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def magnitude(value_range: tuple[float, float] | None) -> float:
    """The largest number of a range without its sign; 0 for none."""
    return 0.0 if value_range is None else max(abs(value_range[0]), abs(value_range[1]))


def _analytic_range(value: SSAValue) -> tuple[float, float] | None:
    owner = value.owner
    if isinstance(owner, CastTypeOp):
        return SIGNED_BYTES if element_of(owner.x) == SI8 else None
    return ANALYTIC_RANGES.get(type(owner)) if isinstance(owner, Operation) else None
