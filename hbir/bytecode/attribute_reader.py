"""Bytes to attributes and types: each when it is first asked for, and once.

An operation's dictionary is the exception: what stays of it is in the operation. What is kept of
others are numbers in arrays, since a large network has several of them for each of its operations.

A file is not trusted: attributes may refer to themselves, nest without end, or share parts so that
walking them takes exponential time. So nesting is limited, and so is the size that an attribute
would have if its shared parts were written out.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
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
from hbir.bytecode.tables import Entries, EntryForm, Strings
from hbir.bytecode.text import parse_text

MAX_NESTING = 100
"""Attributes inside one another; xDSL compares and prints them recursively."""

MAX_PARTS = 1 << 20
"""Parts of one attribute, shared ones counted each time: what printing it would visit."""

MAX_SPLAT_BYTES = 1 << 28
"""Bytes of all constants of one value in a file: xDSL holds every element of them."""

_MANY_PARTS = (1 << 32) - 1
"""More are not told apart; a file may use far fewer."""

_SMALL_ENTRY_BYTES = 4096
"""Entries up to here are copied, which makes reading numbers from them faster."""

TextParser: TypeAlias = Callable[[str], Attribute | None]
"""A faster way to parse an attribute's text; None leaves it to xDSL's parser."""

_LOCATIONS: frozenset[type[Attribute]] = frozenset(
    (UnknownLoc, FileLineColLoc, CallSiteLoc, NameLoc, FusedLoc)
)

_NONE = NoneAttr()
_UNKNOWN = UnknownLoc()


class AttributeReader:
    """Attributes, types and locations by number.

    The first `attributes` of the `entries` are attributes, the others types. `strings` and
    `resources` (handles by number) are the file's tables; `text_parsers` maps a name such as
    `#foo.bar` or `!foo.bar` to a parser of such texts.
    """

    def __init__(
        self,
        data: memoryview,
        entries: Entries,
        attributes: int,
        strings: Strings,
        resources: Sequence[tuple[str, str]],
        ctx: Context,
        text_parsers: Mapping[str, TextParser],
    ) -> None:
        self._data = data
        self._strings = strings
        self._resources = resources
        self._ctx = ctx
        self._text_parsers = text_parsers
        self._entries = entries
        self._attributes = _Table("attribute", 0, attributes)
        self._types = _Table("type", attributes, len(entries) - attributes)
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

    def dictionary(self, number: int, user: Cursor) -> tuple[Mapping[str, Attribute], int]:
        """The entries of dictionary attribute `number`, and how many parts it has.

        Read anew each time: most operations have one of their own.
        """
        table = self._attributes
        if number >= table.count:
            raise user.error(f"{table.what} {number} of {table.count}")
        attribute, parts = self._read(table, number, user)
        if not isinstance(attribute, DictionaryAttr):
            raise user.error(f"attribute {number} is not a dictionary")
        return attribute.data, parts

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
        if number >= table.count:
            raise user.error(f"{table.what} {number} of {table.count}")
        known = table.read[number]
        if known is None:
            known, parts = self._read(table, number, user)
            table.read[number] = known
            table.parts[number] = min(parts, _MANY_PARTS)
        if self._depth:  # a part of another
            self._parts += table.parts[number]
            if self._parts > MAX_PARTS:
                raise user.error(f"an attribute of more than {MAX_PARTS} parts")
        return known

    def _read(self, table: _Table, number: int, user: Cursor) -> tuple[Attribute, int]:
        """An attribute or type, and how many parts it has."""
        if number in table.being_read:
            raise user.error(f"{table.what} {number} contains itself")
        if self._depth >= MAX_NESTING:
            raise user.error(f"attributes nested deeper than {MAX_NESTING}")
        index = table.first + number
        bounds = self._entries.bounds
        cursor = self._cursor(bounds[index], bounds[index + 1])
        outer, self._parts = self._parts, 1
        table.being_read.add(number)
        self._depth += 1
        try:
            if self._entries.forms[index] == EntryForm.TEXT:
                attribute = self._from_text(table, cursor)
            else:
                attribute = self._native(table, index, cursor)
                if cursor.pos != cursor.end:
                    cursor.expect_end(f"{table.what} {number}")
        except BytecodeError:
            raise
        except Exception as error:  # parsers and verifiers of dialects raise what they like
            reason = " ".join(str(error).split()) or type(error).__name__
            raise cursor.error(f"{table.what} {number}: {reason}") from error
        finally:
            self._depth -= 1
            table.being_read.discard(number)
            parts, self._parts = self._parts, outer
        return attribute, parts

    def _cursor(self, start: int, end: int) -> Cursor:
        section = "attribute section"
        if end - start > _SMALL_ENTRY_BYTES:
            return Cursor(self._data, section, pos=start, end=end)
        return Cursor(self._data[start:end].tobytes(), section, base=start)

    def _native(self, table: _Table, index: int, cursor: Cursor) -> Attribute:
        if self._entries.forms[index] == EntryForm.FOREIGN:
            raise cursor.error(
                f"{table.what} in an encoding of its own by dialect "
                f"{self._entries.dialect(index)!r}, which only that dialect's tools read; "
                "write the file as text there"
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
    """The attributes or the types of a file, and which of them have been read.

    `first` of the file's entries is number 0 of the table.
    """

    def __init__(self, what: str, first: int, count: int) -> None:
        self.what = what
        self.first = first
        self.count = count
        self.read: list[Attribute | None] = [None] * count
        self.parts = array("I", bytes(4 * count))
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
