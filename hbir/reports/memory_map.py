"""On-chip memory over time: which addresses hold what, from when to when, on a played timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hbir.backend.isa.enums import ON_CHIP, SPACE_NAMES, DType, Space
from hbir.backend.isa.program import ABSENT, BpuSegment, Graph, Program, Records
from hbir.backend.isa.table import MAX_OPERANDS, MAX_RANK
from hbir.backend.timeline import Timeline

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Resident:
    """Bytes [base, base + size_bytes) of an on-chip memory, held over [start, end) in cycles.

    It begins with the instruction that writes them and ends with the last that reads them.
    """

    space: str
    """`l1` or `l2`."""
    core: int
    """The core whose memory it is; -1 for the shared one."""
    base: int
    size_bytes: int
    start: float
    end: float
    layer: int
    """The layer of the instruction that writes them."""


_Place: TypeAlias = tuple[int, int, int, int]
"""Space, core (-1 of the shared one), address and size in bytes."""


@dataclass(frozen=True, order=True)
class _Access:
    """What an instruction does with one operand. In order of places, then of time; of accesses that
    start together, writes come first."""

    place: _Place
    start: float
    is_read: bool
    end: float
    layer: int


def memory_map(program: Program, graph: Graph, timeline: Timeline) -> list[Resident]:
    """The residents of all on-chip memories, by memory, address and start."""
    sizes = extent_bytes(program.descriptors)
    residents: list[Resident] = []
    for number, segment in enumerate(graph.segments):
        if not isinstance(segment, BpuSegment):
            continue
        rows = timeline.instructions
        for call_number, call in enumerate(segment.calls):
            played = rows[(rows["segment"] == number) & (rows["call"] == call_number)]
            queues = [
                (core, queue, played[(played["core"] == core) & (played["engine"] == int(engine))])
                for (core, engine), queue in call.queues.items()
            ]
            residents += _residents(program.descriptors, sizes, queues)
    return sorted(residents, key=lambda r: (r.space, r.core, r.base, r.start))


def _residents(
    descriptors: Records, sizes: Ints, queues: list[tuple[int, Records, Records]]
) -> list[Resident]:
    """Those of one function call; queues: (core, instructions, the same instructions played)."""
    accesses = sorted(
        access
        for core, queue, played in queues
        for access in _accesses(descriptors, sizes, core, queue, played)
    )
    residents: list[Resident] = []
    held: _Place | None = None
    for access in accesses:
        if access.place == held and access.is_read:
            last = residents[-1]
            residents[-1] = replace(last, end=max(last.end, access.end))
            continue
        held = access.place
        space, core, base, size = access.place
        first = Resident(_ON_CHIP[space], core, base, size, access.start, access.end, access.layer)
        residents.append(first)
    return residents


def _accesses(
    descriptors: Records, sizes: Ints, core: int, queue: Records, played: Records
) -> Iterator[_Access]:
    """The accesses of a queue's instructions to memories on chip."""
    columns = (queue["operands"], queue["layer"], played["start"], played["end"])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for operands, layer, start, end in rows:
        for position, operand in enumerate(operands[:MAX_OPERANDS]):
            if operand == ABSENT or int(descriptors["space"][operand]) not in _ON_CHIP:
                continue
            space = int(descriptors["space"][operand])
            owner = core if space == Space.L1 else -1
            place = (space, owner, int(descriptors["base"][operand]), int(sizes[operand]))
            yield _Access(place, start, position > 0, end, layer)


def extent_bytes(descriptors: Records) -> Ints:
    """Bytes from each descriptor's base to the end of its last element (its whole ring, if any)."""
    shape = descriptors["shape"].astype(np.int64)
    strides = descriptors["strides"].astype(np.int64)
    rings = descriptors["ring_rows"].astype(np.int64)
    used = np.arange(MAX_RANK) < descriptors["rank"][:, None]
    rows = np.where(rings > 0, rings, shape[:, 1])
    shape = np.concatenate([shape[:, :1], rows[:, None], shape[:, 2:]], axis=1)
    reach = np.where(used, (shape - 1) * strides, 0).sum(axis=1)
    itemsizes = np.array([d.itemsize for d in DType], np.int64)
    return reach + itemsizes[descriptors["dtype"]] + descriptors["padding_bytes"]


_ON_CHIP = {int(space): SPACE_NAMES[space] for space in ON_CHIP}
