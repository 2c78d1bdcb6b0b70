"""Who last touched which bytes of a memory, so that their next owner can wait for them."""

from __future__ import annotations

from hbir.backend.codegen.queues import Needs, merge
from hbir.backend.isa.enums import Engine


class Holder:
    """The accesses to one area: what its readers and its next writer have to wait for."""

    def __init__(self, earlier: Needs) -> None:
        self.written: Needs = {}
        self.accessed: Needs = earlier
        """All accesses not known to be over when `written` is: those of earlier owners too."""

    def write(self, engine: Engine, count: int) -> None:
        """A write that waited for `accessed`: it stands for all of them."""
        self.written = {engine: count}
        self.accessed = {engine: count}

    def write_more(self, engine: Engine, count: int) -> None:
        """A write beside others that fill the same area."""
        merge(self.written, {engine: count})
        merge(self.accessed, {engine: count})

    def read(self, engine: Engine, count: int) -> None:
        """A read that waited for `written`."""
        merge(self.accessed, {engine: count})


class AddressMap:
    """Owners of the byte ranges of one memory. Ranges never overlap: a new owner takes over."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int, Holder]] = []

    def take(self, start: int, stop: int) -> Holder:
        """A new owner of [start, stop), which inherits the accesses of those it replaces."""
        earlier: Needs = {}
        kept: list[tuple[int, int, Holder]] = []
        for entry in self._ranges:
            low, high, holder = entry
            if high <= start or low >= stop:
                kept.append(entry)
                continue
            merge(earlier, holder.accessed)
            if low < start:
                kept.append((low, start, holder))
            if high > stop:
                kept.append((stop, high, holder))
        holder = Holder(earlier)
        kept.append((start, stop, holder))
        self._ranges = kept
        return holder
