"""Bytes to attributes and types: each when it is first asked for, and once.

A file is not trusted: attributes may refer to themselves, nest without end, or share parts so that
walking them takes exponential time. So nesting is limited, and so is the size that an attribute
would have if its shared parts were written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    CallSiteLoc,
    DictionaryAttr,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute

from hbir.bytecode.builtin_reader import ATTRIBUTE_READERS, TYPE_READERS
from hbir.bytecode.codes import (
    BUILTIN,
    AttributeCode,
    TypeCode,
)
from hbir.bytecode.encoding import Cursor
from hbir.bytecode.errors import BytecodeError
from hbir.bytecode.text import parse_text

MAX_NESTING = 100
"""Attributes inside one another; xDSL compares and prints them recursively."""

MAX_PARTS = 1 << 20
"""Parts of one attribute, shared ones counted each time: what printing it would visit."""

MAX_SPLAT_BYTES = 1 << 28
"""Bytes of all constants of one value in a file: xDSL holds every element of them."""

_SMALL_ENTRY_BYTES = 4096
"""Entries up to here are copied, which makes reading numbers from them faster."""

TextParser: TypeAlias = Callable[[str], Attribute | None]
"""A faster way to parse an attribute's text; None leaves it to xDSL's parser."""

_LOCATIONS: frozenset[type[Attribute]] = frozenset(
    (UnknownLoc, FileLineColLoc, CallSiteLoc, NameLoc, FusedLoc)
)

_NONE = NoneAttr()
_UNKNOWN = UnknownLoc()


@dataclass(frozen=True)
class Entry:
    """Where an attribute or type is: the dialect it belongs to, its form, its bytes."""

    dialect: str
    native: bool
    start: int
    end: int


class AttributeReader:
    """Attributes, types and locations by number.

    `strings` and `resources` (handles by number) are the file's tables; `text_parsers` maps a
    name such as `#foo.bar` or `!foo.bar` to a parser of such texts.
    """

    def __init__(
        self,
        data: memoryview,
        attributes: Sequence[Entry],
        types: Sequence[Entry],
        strings: Sequence[bytes],
        resources: Sequence[tuple[str, str]],
        ctx: Context,
        text_parsers: Mapping[str, TextParser],
    ) -> None:
        self._data = data
        self._strings = strings
        self._resources = resources
        self._ctx = ctx
        self._text_parsers = text_parsers
        self._attributes = _Table(attributes, "attribute")
        self._types = _Table(types, "type")
        self._depth = 0
        self._parts = 0
        self._splat_bytes = 0
        self._extents: dict[tuple[int, ...], ArrayAttr[IntAttr]] = {}

    # ---- by number ------------------------------------------------------------------------------

    def attribute(self, number: int, user: Cursor) -> Attribute:
        """Attribute `number`, of which `user` has just read the number. Raises BytecodeError."""
        return self._get(self._attributes, number, user)

    def type(self, number: int, user: Cursor) -> Attribute:
        """Type `number`."""
        return self._get(self._types, number, user)

    def dictionary(self, number: int, user: Cursor) -> Mapping[str, Attribute]:
        """The entries of dictionary attribute `number`."""
        attribute = self.attribute(number, user)
        if not isinstance(attribute, DictionaryAttr):
            raise user.error(f"attribute {number} is not a dictionary")
        return attribute.data

    def location(self, number: int, user: Cursor) -> Attribute:
        """Location attribute `number`."""
        attribute = self.attribute(number, user)
        if type(attribute) not in _LOCATIONS:  # isinstance is slow for abstract classes
            raise user.error(f"attribute {number} is not a location")
        return attribute

    def attribute_parts(self, number: int) -> int:
        """Parts that attribute `number` has, itself counted; it has been read."""
        return self._attributes.parts[number]

    def type_parts(self, number: int) -> int:
        """Parts that type `number` has."""
        return self._types.parts[number]

    def _get(self, table: _Table, number: int, user: Cursor) -> Attribute:
        if number >= len(table.entries):
            raise user.error(f"{table.what} {number} of {len(table.entries)}")
        known = table.read[number]
        if known is None:
            known = self._read(table, number, user)
        if self._depth:  # a part of another
            self._parts += table.parts[number]
            if self._parts > MAX_PARTS:
                raise user.error(f"an attribute of more than {MAX_PARTS} parts")
        return known

    def _read(self, table: _Table, number: int, user: Cursor) -> Attribute:
        if number in table.being_read:
            raise user.error(f"{table.what} {number} contains itself")
        if self._depth >= MAX_NESTING:
            raise user.error(f"attributes nested deeper than {MAX_NESTING}")
        entry = table.entries[number]
        cursor = self._cursor(entry)
        outer, self._parts = self._parts, 1
        table.being_read.add(number)
        self._depth += 1
        try:
            if entry.native:
                attribute = self._native(table, entry, cursor)
                cursor.expect_end(f"{table.what} {number}")
            else:
                attribute = self._from_text(table, cursor)
        except BytecodeError:
            raise
        except Exception as error:  # parsers and verifiers of dialects raise what they like
            reason = " ".join(str(error).split()) or type(error).__name__
            raise cursor.error(f"{table.what} {number}: {reason}") from error
        finally:
            self._depth -= 1
            table.being_read.discard(number)
            parts, self._parts = self._parts, outer
        table.read[number] = attribute
        table.parts[number] = parts
        return attribute

    def _cursor(self, entry: Entry) -> Cursor:
        section = "attribute section"
        if entry.end - entry.start > _SMALL_ENTRY_BYTES:
            return Cursor(self._data, section, pos=entry.start, end=entry.end)
        return Cursor(self._data[entry.start : entry.end].tobytes(), section, base=entry.start)

    def _native(self, table: _Table, entry: Entry, cursor: Cursor) -> Attribute:
        if entry.dialect != BUILTIN:
            raise cursor.error(
                f"{table.what} in an encoding of its own by dialect {entry.dialect!r}, which only "
                "that dialect's tools read; write the file as text there"
            )
        code = cursor.varint()
        readers = TYPE_READERS if table is self._types else ATTRIBUTE_READERS
        read = readers.get(code)
        if read is None:
            raise cursor.error(_unknown_code(table is self._types, code))
        return read(self, cursor)

    # ---- text -----------------------------------------------------------------------------------

    def _from_text(self, table: _Table, cursor: Cursor) -> Attribute:
        raw = bytes(cursor.bytes(cursor.left, "text"))
        if not raw.endswith(b"\0"):
            raise cursor.error(f"the text of a {table.what} has no NUL at its end")
        text = raw[:-1].decode()
        self._parts += len(text)
        fast = self._text_parsers.get(text.partition("<")[0])
        attribute = fast(text) if fast is not None else None
        return attribute if attribute is not None else parse_text(text, self._ctx, table.what)

    # ---- what codes are made of -----------------------------------------------------------------

    def a_type(self, cursor: Cursor) -> Attribute:
        """The type whose number comes next."""
        return self._get(self._types, cursor.varint(), cursor)

    def an_attribute(self, cursor: Cursor) -> Attribute:
        """The attribute whose number comes next."""
        return self._get(self._attributes, cursor.varint(), cursor)

    def a_string(self, cursor: Cursor) -> StringAttr:
        """The string attribute whose number comes next."""
        attribute = self.an_attribute(cursor)
        if type(attribute) is not StringAttr:
            raise cursor.error("expected a string attribute")
        return attribute

    def a_location(self, cursor: Cursor) -> Attribute:
        """The location whose number comes next."""
        return self.location(cursor.varint(), cursor)

    def a_child_location(self, cursor: Cursor) -> Attribute:
        """The same, where xDSL writes the unknown location as none."""
        location = self.a_location(cursor)
        return _NONE if type(location) is UnknownLoc else location

    def raw_string(self, cursor: Cursor) -> bytes:
        """The string whose number comes next."""
        number = cursor.varint()
        if number >= len(self._strings):
            raise cursor.error(f"string {number} of {len(self._strings)}")
        return self._strings[number]

    def attributes(self, cursor: Cursor) -> list[Attribute]:
        """A counted list of attributes."""
        return [self.an_attribute(cursor) for _ in range(cursor.count("attributes"))]

    def types(self, cursor: Cursor) -> list[Attribute]:
        """A counted list of types."""
        return [self.a_type(cursor) for _ in range(cursor.count("types"))]

    def shape(self, cursor: Cursor) -> ArrayAttr[IntAttr]:
        """The extents of a shaped type."""
        extents = tuple(_extent(cursor) for _ in range(cursor.count("extents")))
        if extents not in self._extents:
            self._extents[extents] = ArrayAttr([IntAttr(extent) for extent in extents])
        return self._extents[extents]

    def handle(self, cursor: Cursor) -> str:
        """The builtin resource whose number comes next."""
        number = cursor.varint()
        if number >= len(self._resources):
            raise cursor.error(f"resource {number} of {len(self._resources)}")
        dialect, key = self._resources[number]
        if dialect != BUILTIN:
            raise cursor.error(f"a dense constant in resource {key!r} of dialect {dialect!r}")
        return key

    def reserve_splat(self, size: int, cursor: Cursor) -> None:
        """Raises when constants of one value would fill the memory."""
        self._splat_bytes += size
        if self._splat_bytes > MAX_SPLAT_BYTES:
            raise cursor.error(
                f"constants of one value take {self._splat_bytes} bytes in xDSL, "
                f"{MAX_SPLAT_BYTES} at most are read"
            )


class _Table:
    """The attributes or the types of a file, and which of them have been read."""

    def __init__(self, entries: Sequence[Entry], what: str) -> None:
        self.entries = entries
        self.what = what
        self.read: list[Attribute | None] = [None] * len(entries)
        self.parts = [0] * len(entries)
        self.being_read: set[int] = set()


def _unknown_code(is_type: bool, code: int) -> str:
    codes: type[TypeCode | AttributeCode] = TypeCode if is_type else AttributeCode
    what = "type" if is_type else "attribute"
    if code in list(codes):
        name = codes(code).name.lower().replace("_", " ")
        return f"builtin {what} {name!r} has no counterpart in xDSL"
    return f"builtin {what} code {code} is unknown"


def _extent(c: Cursor) -> int:
    extent = c.signed_varint()
    if extent < 0 and extent != DYNAMIC_INDEX:
        raise c.error(f"extent {extent} of a type")
    return extent
