"""`plan`: the schedule of one function call's layers, on one core's memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hbir.backend.march import Machine
from hbir.backend.plan.homes import Home, find_homes
from hbir.backend.plan.network import Network
from hbir.backend.plan.placement import Plan, Range, place, resident_of
from hbir.backend.plan.residence import NEAR, Residence
from hbir.backend.plan.stripes import (
    STRIPES,
    StripedGroup,
    area_bytes,
    ring_bytes,
    stripe,
    striped_cycles,
)

BUDGETS = (0.95, 0.85, 0.7, 0.5, 0.3)
"""Shares of the on-chip memory that a plan is made for, until one can be placed: holes between
tensors take the rest."""


def plan(machine: Machine, network: Network, patient: bool = False) -> Plan | None:
    """The plan of a network; None where no share of the memory leads to one.

    patient: tensors aren't spilled for waiting long, and more of them stay across groups: fewer
    bytes move, in more and smaller stripes.
    """
    for share in BUDGETS:
        found = _Planner(machine, network, int(machine.memory.l1_bytes * share), patient).run()
        if found is not None:
            return found
    return None


MAX_GROUP = 32
"""Most layers that are planned as one group of stripes."""
CLOSE = 4
"""Layers within which the makers and readers of a tensor that doesn't fit are planned with it."""


class _Planner:
    def __init__(self, machine: Machine, network: Network, budget: int, patient: bool) -> None:
        self.patient = patient
        self.machine = machine
        self.network = network
        self.budget = budget
        self.residence = Residence(machine, network)

    def run(self) -> Plan | None:
        if not self.patient:
            self.residence.spill(self.budget)
        ranges = self._ranges()
        return place(self.machine, self.network, self.residence, ranges)

    # ----------------------------------------------------------------- ranges

    def _ranges(self) -> list[Range]:
        """The layers in ranges: one each, or several where tensors don't fit whole."""
        needs = self.residence.needs()
        tight = self._tight(needs)
        result: list[Range] = []
        number = 0
        while number < len(needs):
            if not tight[number]:
                result.append(Range(number, number + 1))
                number += 1
                continue
            first = number
            while number < len(needs) and tight[number]:
                number += 1
            result += self._divide(first, number, needs[first])
        return result

    def _tight(self, needs: Sequence[int]) -> list[bool]:
        """Which layers are planned by stripes: those beside which too much is on chip, and the
        makers and readers of their tensors close by, without which no tensor could be smaller."""
        tight = [need > self.budget for need in needs]
        result = list(tight)
        for number, node in enumerate(self.network.nodes):
            if not tight[number]:
                continue
            made = [
                self.network.producer.get(-1 if o.tensor is None else o.tensor, number)
                for o in node.operands
            ]
            read = self.network.readers[node.output]
            first = min((n for n in made if number - n <= CLOSE), default=number)
            last = max((n for n in read if n - number <= CLOSE), default=number)
            for near in range(min(first, number), max(last, number) + 1):
                result[near] = True
        return result

    def _divide(self, first: int, last: int, need: int) -> list[Range]:
        """A run of layers as groups that fit, from the left; tensors across their borders go
        through DDR where they are large. need: bytes on chip at `first`."""
        result: list[Range] = []
        others = need - self._covering(first, last, first, first + 1)
        pending = self._pieces(first, last)[::-1]
        while pending:
            low, high = pending.pop()
            mine = set(self.residence.touched(low, high))
            passing = others + self._covering(first, last, low, high, mine)
            stripes = self._stripes(low, high, passing)
            if stripes is not None:
                result.append(Range(low, high, *stripes))
            elif high - low == 1:
                for tensor in self.residence.touched(low, high):
                    self.residence.drop(tensor, low)
                result.append(Range(low, high))
            else:
                at = self._border(low, high)
                self._cut(low, at, high)
                pending += [(at, high), (low, at)]
        return result

    def _pieces(self, first: int, last: int) -> list[tuple[int, int]]:
        """A run of layers in pieces of at most MAX_GROUP, so that planning it stays linear."""
        pieces: list[tuple[int, int]] = []
        while last - first > MAX_GROUP:
            at = self._border(first + MAX_GROUP // 2, first + MAX_GROUP)
            self._cut(first, at, first + MAX_GROUP)
            pieces.append((first, at))
            first = at
        return [*pieces, (first, last)]

    def _stripes(self, first: int, last: int, passing: int) -> tuple[int, bool] | None:
        """In how few stripes a range fits beside `passing` bytes, and whether convolutions lead by
        whole unrolls: of the two, which takes fewer cycles. None where it doesn't fit."""
        nodes = [node for n in range(first, last) for node in self.residence.expand(n)]
        onchip = self.residence.onchip
        homes = find_homes(self.machine, nodes, self.residence.specs, onchip, NEAR)
        best: tuple[float, int, bool] | None = None
        for aligned in (True, False):
            low, high = 0, len(STRIPES)
            cycles = 0.0
            while low < high:
                middle = (low + high) // 2
                group = stripe(self.machine, nodes, homes, STRIPES[middle], aligned)
                if passing + self._group_bytes(group, homes, onchip, first, last) <= self.budget:
                    high, cycles = middle, striped_cycles(self.machine, group)
                else:
                    low = middle + 1
            if low < len(STRIPES) and (best is None or cycles < best[0]):
                best = (cycles, STRIPES[low], aligned)
        return None if best is None else best[1:]

    def _covering(
        self, first: int, last: int, low: int, high: int, but: Collection[int] = ()
    ) -> int:
        """Bytes of tensors touched in a range that stay on chip all through [low, high)."""
        return sum(
            self.residence.sizes[tensor]
            for tensor in self.residence.touched(first, last)
            if tensor not in but
            for stay in self.residence.stays.get(tensor, ())
            if stay.first <= low and stay.last >= high - 1
        )

    def _group_bytes(
        self,
        group: StripedGroup,
        homes: Mapping[int, Home],
        onchip: set[int],
        first: int,
        last: int,
    ) -> int:
        total = 0
        counted: set[int] = set()
        inside = self._inside(first, last)
        for node, tiling in zip(group.nodes, group.tilings, strict=True):
            values = [o.tensor for o in node.operands if o.tensor is not None]
            for value in (*values, node.output):
                root = homes[value].root if value in homes else value
                if root in counted or value not in onchip:
                    continue
                counted.add(root)
                rows = group.ring_rows.get(value, 0) if root in inside else 0
                total += ring_bytes(self.machine, self.residence.specs[root], rows)
            total += area_bytes(self.machine, node, tiling, resident_of(node, onchip))
        return total

    def _inside(self, first: int, last: int) -> set[int]:
        """Values that are on chip only within a range of layers."""
        return {
            stay.value
            for tensor in self.residence.touched(first, last)
            for stay in self.residence.stays.get(tensor, ())
            if first <= stay.first and stay.last < last
        }

    def _border(self, first: int, last: int) -> int:
        """Where to divide a range: at the fewest bytes across, of equals in the middle."""
        change = [0] * (last - first + 1)
        for tensor in self.residence.touched(first, last):
            for stay in self.residence.stays.get(tensor, ()):
                low, high = max(stay.first, first), min(stay.last, last - 1)
                if low < high:
                    change[low + 1 - first] += self.residence.sizes[tensor]
                    change[high + 1 - first] -= self.residence.sizes[tensor]
        best, level = (0, 0, first + 1), 0
        for offset in range(1, last - first):
            level += change[offset]
            rank = (level, abs(2 * offset - (last - first)), first + offset)
            if offset == 1 or rank < best:
                best = rank
        return best[2]

    def _cut(self, first: int, at: int, last: int) -> None:
        """Tensors across a border: the small ones stay, the others go through DDR."""
        crossing = [
            (self.residence.sizes[tensor], tensor)
            for tensor in self.residence.touched(first, last)
            for stay in self.residence.stays.get(tensor, ())
            if stay.first < at <= stay.last
        ]
        room = self.budget // 2 if self.patient else self.budget // 4
        for size, tensor in sorted(crossing):
            room -= size
            if room < 0:
                self.residence.cut(tensor, at, reload=size <= self.budget // 2)
