"""A file of bytecode: its sections, and what is in the small ones.

The IR itself is read by `ir_reader`, attributes and types by `attribute_reader`.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from hbir.bytecode.attribute_reader import AttributeReader, TextParser
from hbir.bytecode.codes import BUILTIN
from hbir.bytecode.encoding import (
    MAGIC,
    NEWEST_VERSION,
    SECTION_ALIGNED,
    Buffer,
    Cursor,
    Section,
    Version,
)
from hbir.bytecode.errors import BytecodeError
from hbir.bytecode.ir_reader import IrReader, OpName
from hbir.bytecode.tables import Entries, Strings

_REQUIRED = (
    Section.STRING,
    Section.DIALECT,
    Section.ATTRIBUTE,
    Section.ATTRIBUTE_OFFSET,
    Section.IR,
)
_BLOB_KIND = 0
_RESOURCE_KINDS = ("blob", "bool", "string")


@dataclass(frozen=True)
class Bytecode:
    """What a file holds.

    `blobs`: the bytes of builtin resources by handle, views into the buffer that was read, so that
    nothing is copied as long as they live. A handle that is only declared is not among them.
    `dialect_versions`: as written by dialects that have one; xDSL's have none.
    """

    module: ModuleOp
    blobs: dict[str, memoryview]
    version: int
    producer: str
    dialect_versions: dict[str, bytes]


def is_bytecode(data: Buffer) -> bool:
    """Whether `data` begins as MLIR bytecode does."""
    return bytes(data[: len(MAGIC)]) == MAGIC


def read_bytecode(
    data: Buffer,
    ctx: Context,
    *,
    text_parsers: Mapping[str, TextParser] | None = None,
    on_top_level: Callable[[Operation], None] | None = None,
) -> Bytecode:
    """Read a file of any version up to 6. The module is not verified.

    A file whose top level is not a single `builtin.module` is wrapped in one, as text is.
    `text_parsers`: faster parsers of other dialects' attributes by name, `#dialect.name` or
    `!dialect.name`. `on_top_level` is called with each operation of the top level before anything
    inside it is read: the place to refuse a version. Raises BytecodeError for everything that is
    wrong with the file, ops that `ctx` doesn't know included unless it allows unregistered ones.
    """
    view = memoryview(data).cast("B")
    if not is_bytecode(view):
        raise BytecodeError("not MLIR bytecode, which begins with 'MLïR'", "header", 0)
    with _collection_paused():
        return _FileReader(view, ctx, text_parsers or {}).read(on_top_level)


@contextmanager
def _collection_paused() -> Generator[None]:
    """Python's collector would look through the growing IR again and again, for a third of the
    time, and find nothing to free."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _FileReader:
    def __init__(
        self, data: memoryview, ctx: Context, text_parsers: Mapping[str, TextParser]
    ) -> None:
        self._data = data
        self._ctx = ctx
        self._text_parsers = text_parsers
        self._version = 0
        self._strings = Strings(b"", array("Q", [0]))
        self._dialects: list[str] = []
        self._dialect_versions: dict[str, bytes] = {}
        self._op_names: list[OpName] = []
        self._resources: list[tuple[str, str]] = []
        self._blobs: dict[str, memoryview] = {}

    def read(self, on_top_level: Callable[[Operation], None] | None) -> Bytecode:
        cursor = Cursor(self._data, "header", pos=len(MAGIC))
        self._version = cursor.varint()
        if self._version > NEWEST_VERSION:
            raise cursor.error(
                f"bytecode version {self._version}; versions 0 to {NEWEST_VERSION} are read"
            )
        producer = _until_nul(cursor)
        sections = _top_level_sections(cursor)
        self._read_strings(sections[Section.STRING])
        self._read_dialects(sections[Section.DIALECT])
        self._read_resources(sections)
        entries, attributes = self._entries(sections)
        table = AttributeReader(
            self._data,
            entries,
            attributes,
            self._strings,
            self._resources,
            self._ctx,
            self._text_parsers,
        )
        properties = _property_entries(sections.get(Section.PROPERTIES))
        ir = IrReader(self._version, self._op_names, table, properties, self._ctx)
        module = ir.module(sections[Section.IR], on_top_level)
        return Bytecode(module, self._blobs, self._version, producer, self._dialect_versions)

    # ---- strings and names ----------------------------------------------------------------------

    def _read_strings(self, cursor: Cursor) -> None:
        sizes = array("Q", (cursor.varint() for _ in range(cursor.count("strings"))))
        if sum(sizes) != cursor.left or 0 in sizes:
            raise cursor.error(f"strings of {sum(sizes)} bytes in {cursor.left} bytes")
        sizes.reverse()
        starts = array("Q", accumulate(sizes, initial=cursor.pos))
        self._strings = Strings(cursor.data, starts)

    def _string(self, number: int, cursor: Cursor) -> str:
        if number >= len(self._strings):
            raise cursor.error(f"string {number} of {len(self._strings)}")
        try:
            return self._strings[number].decode()
        except UnicodeDecodeError:
            raise cursor.error(f"string {number} names something and is not UTF-8") from None

    def _read_dialects(self, cursor: Cursor) -> None:
        for _ in range(cursor.count("dialects")):
            number = cursor.varint()
            versioned = False
            if self._version >= Version.DIALECT_VERSIONS:
                number, versioned = number >> 1, bool(number & 1)
            name = self._string(number, cursor)
            self._dialects.append(name)
            if versioned:
                section, inner = _section(cursor)
                if section != Section.DIALECT_VERSION:
                    raise inner.error("expected a dialect version section")
                self._dialect_versions[name] = bytes(inner.bytes(inner.left, "version"))
        if self._version >= Version.ELIDED_ARGUMENT_LOCATIONS:
            cursor.varint()  # how many op names there are, which their groups say too
        while cursor.left:
            self._read_op_names(cursor)

    def _read_op_names(self, cursor: Cursor) -> None:
        dialect = self._dialect(cursor)
        for _ in range(cursor.count("op names")):
            number = cursor.varint()
            registered: bool | None = None
            if self._version >= Version.NATIVE_PROPERTIES:
                number, registered = number >> 1, bool(number & 1)
            rest = self._string(number, cursor)
            name = f"{dialect}.{rest}" if rest else dialect
            self._op_names.append(OpName(name, registered))

    def _dialect(self, cursor: Cursor) -> str:
        number = cursor.varint()
        if number >= len(self._dialects):
            raise cursor.error(f"dialect {number} of {len(self._dialects)}")
        return self._dialects[number]

    # ---- attributes and types -------------------------------------------------------------------

    def _entries(self, sections: Mapping[int, Cursor]) -> tuple[Entries, int]:
        """The entries of attributes and types, and how many of them are attributes."""
        cursor, data = sections[Section.ATTRIBUTE_OFFSET], sections[Section.ATTRIBUTE]
        attributes, types = cursor.varint(), cursor.varint()
        end = data.base + data.end
        entries = Entries(data.base + data.pos)
        while cursor.left:
            entries.read_group(self._dialect(cursor), cursor, end)
        if len(entries) != attributes + types:
            count = attributes + types
            raise cursor.error(f"{len(entries)} entries for {count} attributes and types")
        if entries.bounds[-1] != end:
            raise cursor.error("attributes don't fill their section")
        return entries, attributes

    # ---- resources ------------------------------------------------------------------------------

    def _read_resources(self, sections: Mapping[int, Cursor]) -> None:
        offsets, data = sections.get(Section.RESOURCE_OFFSET), sections.get(Section.RESOURCE)
        if offsets is None and data is None:
            return
        if offsets is None or data is None:
            alone = offsets or data
            assert alone is not None
            raise alone.error("the resource and resource offset sections come together")
        for _ in range(offsets.count("external resource groups")):
            offsets.varint()  # of tools such as mlir-opt's reproducer, which mean nothing here
            for _ in range(offsets.count("resources")):
                offsets.varint()
                data.bytes(offsets.varint(), "resource")
                offsets.byte()
        while offsets.left:
            dialect = self._dialect(offsets)
            for _ in range(offsets.count("resources")):
                self._read_resource(dialect, offsets, data)

    def _read_resource(self, dialect: str, offsets: Cursor, data: Cursor) -> None:
        key = self._string(offsets.varint(), offsets)
        size, kind = offsets.varint(), offsets.byte()
        end = data.pos + size
        if size > data.left:
            raise offsets.error(f"resource {key!r} of {size} bytes, with {data.left} left")
        self._resources.append((dialect, key))
        if size == 0:
            return
        if kind != _BLOB_KIND or dialect != BUILTIN:
            title = _RESOURCE_KINDS[kind] if kind < len(_RESOURCE_KINDS) else f"kind {kind}"
            raise offsets.error(
                f"resource {key!r} of dialect {dialect!r} is a {title}; "
                "blobs of dialect 'builtin' are read"
            )
        if key in self._blobs:
            raise offsets.error(f"resource {key!r} stands twice")
        entry = Cursor(data.data, data.section, base=data.base, pos=data.pos, end=end)
        alignment, blob_size = entry.varint(), entry.varint()
        entry.align(alignment)
        self._blobs[key] = memoryview(entry.bytes(blob_size, f"resource {key!r}"))
        entry.expect_end(f"resource {key!r}")
        data.pos = end


def _until_nul(cursor: Cursor) -> str:
    found = bytearray()
    while byte := cursor.byte():
        found.append(byte)
        if len(found) > 4096:
            raise cursor.error("the producer's name has no end")
    return found.decode(errors="replace")


def _top_level_sections(cursor: Cursor) -> dict[int, Cursor]:
    sections: dict[int, Cursor] = {}
    while cursor.left:
        section, inner = _section(cursor)
        if section in sections:
            raise inner.error(f"a second {inner.section}")
        sections[section] = inner
    for section in _REQUIRED:
        if section not in sections:
            raise cursor.error(f"the {section.title} is missing")
    return sections


def _section(cursor: Cursor) -> tuple[int, Cursor]:
    """The section that comes next, as a cursor over it."""
    start = cursor.pos
    first = cursor.byte()
    number = first & ~SECTION_ALIGNED
    try:
        section = Section(number)
    except ValueError:
        cursor.pos = start
        raise cursor.error(f"there is no section {number}") from None
    size = cursor.varint()
    if first & SECTION_ALIGNED:
        cursor.align(cursor.varint())
    if size > cursor.left:
        raise cursor.error(f"{section.title} of {size} bytes, with {cursor.left} bytes left")
    inner = Cursor(
        cursor.data, section.title, base=cursor.base, pos=cursor.pos, end=cursor.pos + size
    )
    cursor.pos += size
    return section, inner


def _property_entries(cursor: Cursor | None) -> Sequence[tuple[int, Buffer]]:
    """The entries of the properties section: file offset, bytes."""
    if cursor is None or not cursor.left:
        return ()
    entries: list[tuple[int, Buffer]] = []
    for _ in range(cursor.count("properties")):
        size = cursor.varint()
        entries.append((cursor.base + cursor.pos, cursor.bytes(size, "properties")))
    cursor.expect_end("the properties")
    return entries
