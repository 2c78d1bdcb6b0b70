"""What a reader keeps of a file's strings, attributes and types: where they are.

A network has several of each per operation, so these are numbers in arrays and not objects.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from enum import IntEnum
from operator import itemgetter

from hbir.bytecode.codes import BUILTIN
from hbir.bytecode.encoding import Buffer, Cursor


class EntryForm(IntEnum):
    """How an attribute or type is written."""

    TEXT = 0
    NATIVE = 1
    """By the codes of the builtin dialect."""

    FOREIGN = 2
    """By codes of another dialect."""


class Entries:
    """Where the attributes and types of a file are, in their order, and how they are written."""

    def __init__(self, start: int) -> None:
        """`start`: the file position of the first."""
        self.bounds = array("Q", [start])
        """Entry i is at file positions bounds[i] to bounds[i + 1]."""
        self.forms = bytearray()
        """The EntryForm of each."""
        self._dialects: list[tuple[int, str]] = []  # (first entry, dialect)

    def __len__(self) -> int:
        return len(self.forms)

    def read_group(self, dialect: str, cursor: Cursor, end: int) -> None:
        """Add the counted entries of a dialect, their sizes at `cursor`. None may pass `end`."""
        self._dialects.append((len(self), dialect))
        forms = EntryForm.TEXT, EntryForm.NATIVE if dialect == BUILTIN else EntryForm.FOREIGN
        position = self.bounds[-1]
        for _ in range(cursor.count("attributes")):
            size = cursor.varint()
            position += size >> 1
            if position > end:
                raise cursor.error("attributes reach over the end of their section")
            self.bounds.append(position)
            self.forms.append(forms[size & 1])

    def dialect(self, index: int) -> str:
        """The dialect of entry `index`."""
        return self._dialects[bisect_right(self._dialects, index, key=itemgetter(0)) - 1][1]


class Strings:
    """The strings of a file by number, taken from it when they are asked for."""

    def __init__(self, data: Buffer, starts: array[int]) -> None:
        """`starts`: positions in `data` where strings start, and one more; a NUL ends each."""
        self._data = data
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._data[self._starts[number] : self._starts[number + 1] - 1])
