"""Addresses on chip, given out in the order of time.

Every piece of the memory remembers when it becomes free. What is loaded takes the bytes that have
been free the longest: its LOAD waits for their last reader, so the loads run as far ahead of the
computation as the memory allows, like a queue of buffers as long as all that is free.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Piece:
    start: int
    stop: int
    free_at: float


class Arena:
    """One on-chip memory. Times are those of the caller; a piece is free from `free_at` on."""

    def __init__(self, size_bytes: int) -> None:
        self._pieces = [_Piece(0, size_bytes, -1.0)]

    def copy(self) -> Arena:
        """The memory as it is now, to come back to."""
        other = Arena(0)
        other._pieces = list(self._pieces)
        return other

    def free_bytes(self, now: float) -> int:
        """Bytes that are free."""
        return sum(p.stop - p.start for p in self._pieces if p.free_at <= now)

    def largest_hole(self, now: float) -> int:
        """Bytes of the largest contiguous free part."""
        return max((hi - lo for lo, hi, _ in self._holes(now)), default=0)

    def take(self, offset: int, size: int, until: float) -> None:
        """Occupy `size` bytes at `offset`."""
        self._occupy(offset, size, until)

    def take_oldest(self, size: int, now: float, until: float) -> int | None:
        """The offset of the `size` bytes that have all been free the longest."""
        best: tuple[float, int] | None = None
        for low, high, pieces in self._holes(now):
            if high - low < size:
                continue
            for first, piece in enumerate(pieces):
                start = min(piece.start, high - size)
                latest = max(p.free_at for p in _within(pieces, first, start, start + size))
                if best is None or (latest, start) < best:
                    best = (latest, start)
        if best is None:
            return None
        self._occupy(best[1], size, until)
        return best[1]

    def _holes(self, now: float) -> list[tuple[int, int, list[_Piece]]]:
        holes: list[tuple[int, int, list[_Piece]]] = []
        run: list[_Piece] = []
        for piece in self._pieces:
            if piece.free_at <= now:
                run.append(piece)
                continue
            if run:
                holes.append((run[0].start, run[-1].stop, run))
            run = []
        if run:
            holes.append((run[0].start, run[-1].stop, run))
        return holes

    def _occupy(self, offset: int, size: int, until: float) -> None:
        end = offset + size
        result: list[_Piece] = []
        placed = False
        for piece in self._pieces:
            if piece.stop <= offset or piece.start >= end:
                if piece.start >= end and not placed:
                    result.append(_Piece(offset, end, until))
                    placed = True
                result.append(piece)
                continue
            if piece.start < offset:
                result.append(_Piece(piece.start, offset, piece.free_at))
            if not placed:
                result.append(_Piece(offset, end, until))
                placed = True
            if piece.stop > end:
                result.append(_Piece(end, piece.stop, piece.free_at))
        merged: list[_Piece] = []
        for piece in result:
            if merged and merged[-1].free_at == piece.free_at:
                merged[-1] = _Piece(merged[-1].start, piece.stop, piece.free_at)
            else:
                merged.append(piece)
        self._pieces = merged


def _within(pieces: list[_Piece], first: int, start: int, stop: int) -> list[_Piece]:
    """The pieces that [start, stop) touches; `first` is one that it touches or lies before it."""
    while first and pieces[first].start > start:
        first -= 1
    last = first
    while last < len(pieces) and pieces[last].start < stop:
        last += 1
    return pieces[first:last]
