"""What bytecode is made of: magic, versions, section and operation codes, numbers.

The facts are those of MLIR's published BytecodeFormat document; mlir-opt checks them in the tests.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

from hbir.bytecode.errors import BytecodeError

Buffer: TypeAlias = bytes | memoryview

MAGIC = b"ML\xefR"

WRITTEN_VERSION = 4
"""The last version in which inherent attributes are in the attribute dictionary."""

NEWEST_VERSION = 6

PADDING = b"\xcb"

UINT64 = (1 << 64) - 1


class Version(IntEnum):
    """The first version that has a feature."""

    DIALECT_VERSIONS = 1
    ISOLATED_REGION_SECTIONS = 2
    USE_LIST_ORDERS = 3
    ELIDED_ARGUMENT_LOCATIONS = 4
    NATIVE_PROPERTIES = 5


class Section(IntEnum):
    """Section ids, in the order of their numbers."""

    STRING = 0
    DIALECT = 1
    ATTRIBUTE = 2
    ATTRIBUTE_OFFSET = 3
    IR = 4
    RESOURCE = 5
    RESOURCE_OFFSET = 6
    DIALECT_VERSION = 7
    PROPERTIES = 8

    @property
    def title(self) -> str:
        """`attribute offset section`: what messages call it."""
        return f"{self.name.lower().replace('_', ' ')} section"


SECTION_ALIGNED = 0x80
"""Flag of a section's id byte: an alignment and padding come before the data."""


class OpPart:
    """Bits that say which parts of an operation follow its location."""

    ATTRIBUTES = 0x01
    RESULTS = 0x02
    OPERANDS = 0x04
    SUCCESSORS = 0x08
    REGIONS = 0x10
    USE_LISTS = 0x20
    PROPERTIES = 0x40


_ONE_BYTE = tuple(bytes((value << 1 | 1,)) for value in range(0x80))


def varint(value: int) -> bytes:
    """`value` (0 … 2⁶⁴−1) as a PrefixVarInt: trailing zero bits count the extra bytes."""
    if value < 0x80:
        return _ONE_BYTE[value]
    count = (value.bit_length() + 6) // 7
    if count > 8:
        return b"\0" + value.to_bytes(8, "little")
    return ((value << 1 | 1) << (count - 1)).to_bytes(count, "little")


def zigzag(value: int) -> int:
    """A signed 64-bit number as an unsigned one, small if its magnitude is."""
    return ((value << 1) ^ (value >> 63)) & UINT64


def unzigzag(value: int) -> int:
    """The signed number of `zigzag`."""
    return (value >> 1) ^ -(value & 1)


def signed_varint(value: int) -> bytes:
    """A signed 64-bit number as a varint."""
    return varint(zigzag(value))


class Cursor:
    """Reads numbers and bytes from a part of a file; every read is checked against its end.

    `data` holds the part or more than it; `base` is the file offset of `data[0]`, so that errors
    can give offsets in the file.
    """

    __slots__ = ("base", "data", "end", "pos", "section")

    def __init__(
        self, data: Buffer, section: str, *, base: int = 0, pos: int = 0, end: int | None = None
    ) -> None:
        self.data = data
        self.section = section
        self.base = base
        self.pos = pos
        self.end = len(data) if end is None else end

    def error(self, reason: str) -> BytecodeError:
        """The error `reason` at this place."""
        return BytecodeError(reason, self.section, self.base + self.pos)

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.pos

    def byte(self) -> int:
        """One byte."""
        if self.pos >= self.end:
            raise self.error("ends too early, a byte is missing")
        value = self.data[self.pos]
        self.pos += 1
        return value

    def varint(self) -> int:
        """An unsigned number."""
        if self.pos >= self.end:
            raise self.error("ends too early, a number is missing")
        first = self.data[self.pos]
        if first & 1:
            self.pos += 1
            return first >> 1
        count = (first & -first).bit_length() if first else 9
        if self.left < count:
            raise self.error("ends in the middle of a number")
        raw = self.data[self.pos : self.pos + count]
        self.pos += count
        if first == 0:
            return int.from_bytes(raw[1:], "little")
        return int.from_bytes(raw, "little") >> count

    def signed_varint(self) -> int:
        """A signed number."""
        return unzigzag(self.varint())

    def count(self, what: str) -> int:
        """A number of things that take a byte each at least. Raises for more than can follow."""
        start = self.pos
        count = self.varint()
        if count > self.left:
            self.pos = start
            raise self.error(f"says {count} {what}, with {self.left} bytes left")
        return count

    def bytes(self, size: int, what: str) -> Buffer:
        """`size` bytes, a view or a copy of them."""
        if size > self.left:
            raise self.error(f"{what} of {size} bytes, with {self.left} bytes left")
        start = self.pos
        self.pos += size
        return self.data[start : self.pos]

    def align(self, alignment: int) -> None:
        """Skip the padding before a place that is aligned in the file."""
        if alignment <= 0 or alignment & (alignment - 1):
            raise self.error(f"alignment {alignment} is not a power of two")
        padding = -(self.base + self.pos) % alignment
        if padding > self.left:
            raise self.error(f"padding of {padding} bytes, with {self.left} bytes left")
        self.pos += padding

    def expect_end(self, what: str) -> None:
        """Raises unless everything has been read."""
        if self.pos != self.end:
            raise self.error(f"{self.left} bytes are left behind {what}")
