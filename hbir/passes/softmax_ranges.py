"""Which part of a range a softmax can tell apart, and which its results fill.

A key that may not be seen gets a large negative number added to its score. Were that number part of
the range to quantize, nothing would be left of the scores themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from xdsl.ir import SSAValue

from hbir.dialects.hbir.comparison import WhereOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.elementwise import AddOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.ir.types import Array
from hbir.ir.weights import WeightStore
from hbir.passes.graph import defined_by

MASK_DEPTH = 30.0
"""A summand that reaches so far below its largest element is a mask: e^-30 is less than 2^-43."""

MASK_MARGIN = 12.0
"""How far below the least unmasked score a masked one is kept apart: e^-12 is less than 2^-17, and
most rows have a score far above the least."""

COARSEST_MASK = 1000.0
"""Depth of a mask that its own scale has to span."""

Range = tuple[float, float]


def probability_range(observed: Range) -> Range:
    """What a softmax's results fill: 0 to 1, or to what was seen where that is below a half.

    Over hundreds of keys all probabilities may be small; a step of 1/255 would leave nothing.
    """
    _, high = observed
    return (0.0, 1.0) if not 0 < high < 0.5 else (0.0, high)


def seen_by_softmax(
    value: SSAValue, observed: Mapping[SSAValue, Range], weights: WeightStore
) -> Range:
    """The range of a value without what a mask adds; the observed range where nothing is masked.

    For a sum that softmaxes alone read, and for a mask that such sums alone read.
    """
    whole = observed.get(value, (0.0, 0.0))
    addition = defined_by(value, AddOp)
    if addition is not None and softmaxes_alone_read(value):
        return _without_mask(addition, whole, observed, weights)
    sums = [use.operation for use in value.uses]
    if sums and all(isinstance(s, AddOp) and softmaxes_alone_read(s.output) for s in sums):
        return max(whole[0], whole[1] - COARSEST_MASK), whole[1]
    return whole


def filled_range(value: SSAValue, constant: Array, observed: Mapping[SSAValue, Range]) -> Range:
    """The range of a constant; of one that fills what a condition masks, just below what it fills.

    `where(visible, scores, -1e9)`: the fill saturates, and the scores keep their steps.
    """
    low, high = float(constant.min()), float(constant.max())
    for use in value.uses:
        choice = use.operation
        if not isinstance(choice, WhereOp):
            return low, high
        beside = choice.rhs if choice.lhs is value else choice.lhs
        least, greatest = observed.get(beside, (low, high))
        if high <= min(0.0, least - MASK_DEPTH) and low <= -COARSEST_MASK * (greatest - least):
            low = high = least - MASK_MARGIN
    return low, high


def _without_mask(
    addition: AddOp, whole: Range, observed: Mapping[SSAValue, Range], weights: WeightStore
) -> Range:
    parts = [_summand(value, observed, weights) for value in addition.operands]
    if all(least == unmasked for least, unmasked in parts):
        return whole
    return max(whole[0], sum(unmasked for _, unmasked in parts) - MASK_MARGIN), whole[1]


def _summand(value: SSAValue, observed: Mapping[SSAValue, Range], weights: WeightStore) -> Range:
    """The least element of a summand, and the least that isn't masked."""
    constant = defined_by(value, ConstantOp)
    if constant is not None:
        array = weights.array(constant.values)
        seen = array[array > array.max(initial=-np.inf) - MASK_DEPTH]
        return float(array.min(initial=0.0)), float(seen.min(initial=0.0))
    low, high = observed.get(value, (0.0, 0.0))
    return low, high if low < high - COARSEST_MASK / 2 else low


def softmaxes_alone_read(value: SSAValue) -> bool:
    """Whether nothing but softmaxes reads a value, perhaps in another shape or layout."""
    readers = [use.operation for use in value.uses]
    return bool(readers) and all(
        isinstance(reader, SoftmaxOp)
        or (isinstance(reader, ReshapeOp | TransposeOp) and softmaxes_alone_read(reader.output))
        for reader in readers
    )
