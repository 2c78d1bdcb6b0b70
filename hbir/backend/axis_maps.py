"""How an axis of an operand follows an axis of the tiles: `AxisMap` and its kinds.

Maps work on whole arrays of tile positions, so a search over tile sizes costs a few NumPy calls per
axis. `regions` says which operand of which layer follows how.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from typing_extensions import override

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AxisMap:
    """An operand axis of `size` elements that is needed whole by every tile."""

    axis: int | None
    """Axis of the iteration space that it follows; None for none."""
    size: int

    @property
    def step(self) -> int:
        """Distance between the elements taken from an interval."""
        return 1

    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        """Needed elements [low, high) for the output elements [start, stop), element-wise."""
        return np.zeros_like(start), np.full_like(stop, self.size)

    def pads(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        """Elements that the window reaches before `low` and after `high` (negative: crop)."""
        return np.zeros_like(start), np.zeros_like(stop)

    def place(self, start: Ints, stop: Ints) -> Ints:
        """Where in the output tile the first needed element lands (layers that only move)."""
        return np.zeros_like(start)


@dataclass(frozen=True)
class Same(AxisMap):
    """Element i of the output axis needs element i."""

    @override
    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        return start, stop


@dataclass(frozen=True)
class ChannelGroup(AxisMap):
    """Input channels of the groups that an interval of output channels belongs to."""

    inputs_per_group: int
    outputs_per_group: int

    @override
    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first = start // self.outputs_per_group
        last = -(-stop // self.outputs_per_group)
        return first * self.inputs_per_group, last * self.inputs_per_group


@dataclass(frozen=True)
class Window(AxisMap):
    """A sliding window: output o covers dilated inputs o·stride − pad … + (kernel−1)·dilation.

    `input_dilation` − 1 padding values lie between neighbouring inputs (transposed convolution).
    A tile whose windows see no input at all gets one element and crops it away by a negative pad.
    """

    stride: int
    kernel: int
    dilation: int
    pad: int
    input_dilation: int = 1

    def _span(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first = start * self.stride - self.pad
        last = (stop - 1) * self.stride - self.pad + (self.kernel - 1) * self.dilation + 1
        return first, last

    @override
    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first, last = self._span(start, stop)
        low = np.minimum(np.maximum(-(-first // self.input_dilation), 0), self.size)
        high = np.minimum(np.maximum((last - 1) // self.input_dilation + 1, 0), self.size)
        empty = high <= low
        if not empty.any():
            return low, high
        low = np.where(empty, np.minimum(low, self.size - 1), low)
        return low, np.where(empty, low + 1, high)

    @override
    def pads(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first, last = self._span(start, stop)
        low, high = self.interval(start, stop)
        before = low * self.input_dilation - first
        after = last - ((high - 1) * self.input_dilation + 1)
        unseen = (before < 0) | (after < 0)  # only where `interval` had nothing to take
        return np.where(unseen, -1, before), np.where(unseen, last - first, after)


@dataclass(frozen=True)
class Resize(AxisMap):
    """Source positions `offset + step·o` in fixed point, and the element after each."""

    source_step: int
    source_offset: int
    fraction_bits: int

    @override
    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first = (self.source_offset + self.source_step * start) >> self.fraction_bits
        last = (self.source_offset + self.source_step * (stop - 1)) >> self.fraction_bits
        low = np.clip(np.minimum(first, last), 0, self.size - 1)
        return low, np.clip(np.maximum(first, last) + 1, 0, self.size - 1) + 1


@dataclass(frozen=True)
class Shifted(AxisMap):
    """Output element o is element o·stride + shift, where that exists (slice, pad, concat)."""

    shift: int
    stride: int = 1

    @property
    @override
    def step(self) -> int:
        return self.stride

    def _outputs(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        first = max(0, -(self.shift // self.stride))
        last = -(-(self.size - self.shift) // self.stride)
        return np.maximum(start, first), np.minimum(stop, last)

    @override
    def interval(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        low, high = self._outputs(start, stop)
        return low * self.stride + self.shift, (high - 1) * self.stride + self.shift + 1

    @override
    def place(self, start: Ints, stop: Ints) -> Ints:
        return self._outputs(start, stop)[0] - start
