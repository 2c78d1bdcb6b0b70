"""Who last touched which bytes of a memory, so that their next owner can wait for them."""

from __future__ import annotations

from hbir.backend.codegen.queues import Needs, merge


class Holder:
    """The accesses to one area: what its readers and its next writer have to wait for."""

    def __init__(self, earlier: Needs) -> None:
        self.earlier = earlier
        """Accesses of those who had the bytes before: every write waits for them."""
        self.written: Needs = {}
        self.accessed: Needs = dict(earlier)
        """All accesses not known to be over when `written` is: those of earlier owners too."""

    def write(self, queue: int, count: int) -> None:
        """A write that waited for `accessed`: it stands for all of them."""
        self.written = {queue: count}
        self.accessed = {queue: count}

    def write_more(self, queue: int, count: int) -> None:
        """A write beside others that fill the same area."""
        merge(self.written, {queue: count})
        merge(self.accessed, {queue: count})

    def read(self, queue: int, count: int) -> None:
        """A read that waited for `written`."""
        merge(self.accessed, {queue: count})


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
