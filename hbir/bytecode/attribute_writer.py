"""Attributes and types to bytes: each once, numbered in the order of first use.

An attribute's encoding refers to others by number, so its parts are numbered before it. That makes
equal attributes equal bytes, and the bytes are what is looked up, not the attributes: xDSL computes
a hash anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    DictionaryAttr,
    FusedLoc,
    NoneAttr,
    UnknownLoc,
    UnregisteredAttr,
)
from xdsl.ir import Attribute, TypeAttribute
from xdsl.printer import Printer

from hbir.bytecode.builtin_writer import (
    ATTRIBUTE_ENCODERS,
    TYPE_ENCODERS,
    Encoder,
    number_list,
)
from hbir.bytecode.codes import (
    BUILTIN,
    AttributeCode,
)
from hbir.bytecode.elements import (
    element_layout,
    to_mlir,
)
from hbir.bytecode.encoding import Buffer, varint
from hbir.bytecode.errors import BytecodeWriteError

_LARGE_BYTES = 4096
"""Dense data from this size on is kept as it is, not copied into its entry."""


class Strings:
    """The string table: each string once, by the order of first use."""

    def __init__(self) -> None:
        self._index: dict[bytes, int] = {}

    def add(self, text: str | bytes) -> int:
        """The number of `text`. Raises BytecodeWriteError for text that is not Unicode."""
        try:
            data = text.encode() if isinstance(text, str) else text
        except UnicodeEncodeError:
            raise BytecodeWriteError(f"{text!r} has no UTF-8 form") from None
        return self._index.setdefault(data, len(self._index))

    def section(self) -> bytes:
        """The string section's data."""
        texts = list(self._index)
        sizes = b"".join(varint(len(text) + 1) for text in reversed(texts))
        return varint(len(texts)) + sizes + b"".join(text + b"\0" for text in texts)


@dataclass
class _Table:
    """Encoded attributes or types: (dialect, whether natively encoded, bytes, large data)."""

    index: dict[tuple[int, bool, bytes, bytes], int] = field(
        default_factory=dict[tuple[int, bool, bytes, bytes], int]
    )
    by_identity: dict[int, int] = field(default_factory=dict[int, int])
    kept: list[Attribute] = field(default_factory=list[Attribute])

    def add(self, dialect: int, native: bool, data: bytes, large: bytes = b"") -> int:
        return self.index.setdefault((dialect, native, data, large), len(self.index))

    def remember(self, attribute: Attribute, number: int) -> int:
        self.by_identity[id(attribute)] = number
        self.kept.append(attribute)  # else its id could come to mean another
        return number


class AttributeWriter:
    """Numbers attributes, types, strings, dialects and resources, and gives their sections."""

    def __init__(self) -> None:
        self.strings = Strings()
        self.dialects: dict[str, int] = {}
        self.resources: dict[str, int] = {}
        self._attributes = _Table()
        self._types = _Table()
        self._dictionaries: dict[tuple[int, ...], int] = {}

    # ---- numbers --------------------------------------------------------------------------------

    def dialect(self, name: str) -> int:
        """The number of a dialect."""
        return self.dialects.setdefault(name, len(self.dialects))

    def resource(self, handle: str) -> int:
        """The number of a builtin resource."""
        self.dialect(BUILTIN)
        return self.resources.setdefault(handle, len(self.resources))

    def type(self, type_: Attribute) -> int:
        """The number of a type. Raises BytecodeWriteError."""
        known = self._types.by_identity.get(id(type_))
        if known is not None:
            return known
        return self._types.remember(type_, self._encode(type_, TYPE_ENCODERS, self._types))

    def attribute(self, attribute: Attribute) -> int:
        """The number of an attribute. Raises BytecodeWriteError."""
        known = self._attributes.by_identity.get(id(attribute))
        if known is not None:
            return known
        if isinstance(attribute, TypeAttribute):
            number = self._native(AttributeCode.TYPE, varint(self.type(attribute)))
        elif isinstance(attribute, DenseIntOrFPElementsAttr):
            number = self._dense(cast("DenseIntOrFPElementsAttr[Any]", attribute))
        else:
            number = self._encode(attribute, ATTRIBUTE_ENCODERS, self._attributes)
        return self._attributes.remember(cast(Attribute, attribute), number)

    def location(self, location: Attribute) -> int:
        """The number of a location; none is the unknown one."""
        if isinstance(location, NoneAttr):
            return self._native(AttributeCode.UNKNOWN_LOC, b"")
        if isinstance(location, FusedLoc):
            location = fold_fused(location)
        return self.attribute(location)

    def string(self, text: str | bytes) -> int:
        """The number of the string attribute of `text`."""
        return self._native(AttributeCode.STRING, varint(self.strings.add(text)))

    def dictionary(self, entries: Mapping[str, Attribute]) -> int:
        """The number of the dictionary attribute of `entries`, in their order; MLIR sorts them."""
        numbers: list[int] = []
        for key, value in entries.items():
            numbers += (self.string(key), self.attribute(value))
        found = self._dictionaries.get(tuple(numbers))
        if found is None:
            data = varint(len(entries)) + b"".join(map(varint, numbers))
            found = self._native(AttributeCode.DICTIONARY, data)
            self._dictionaries[tuple(numbers)] = found
        return found

    def _native(self, code: AttributeCode, data: bytes, large: bytes = b"") -> int:
        return self._attributes.add(self.dialect(BUILTIN), True, varint(code) + data, large)

    def _encode(
        self, attribute: Attribute, encoders: Mapping[type[Attribute], Encoder], table: _Table
    ) -> int:
        encoder = encoders.get(type(attribute))
        if encoder is not None:
            return table.add(self.dialect(BUILTIN), True, encoder(self, attribute))
        text = self._text(attribute)
        return table.add(self.dialect(_dialect_of(attribute)), False, text.encode() + b"\0")

    def _text(self, attribute: Attribute) -> str:
        """The fallback of the format: what other dialects' attributes look like in text."""
        if isinstance(attribute, NoneAttr):
            raise BytecodeWriteError("xDSL's `none` attribute has no form in MLIR")
        for handle in resource_handles(attribute):
            self.resource(handle)
        stream = StringIO()
        try:
            Printer(stream).print_attribute(attribute)
        except Exception as error:  # a dialect's printer raises what it likes
            raise BytecodeWriteError(f"{attribute.name} can't be printed: {error}") from error
        text = stream.getvalue()
        if "\0" in text:
            raise BytecodeWriteError(f"{text!r}: the text of an attribute can't hold a NUL")
        return text

    # ---- parts of encoders ----------------------------------------------------------------------

    def attributes(self, attributes: Iterable[Attribute]) -> bytes:
        """A counted list of attributes."""
        return number_list([self.attribute(attribute) for attribute in attributes])

    def types(self, types: Iterable[Attribute]) -> bytes:
        """A counted list of types."""
        return number_list([self.type(type_) for type_ in types])

    def _dense(self, attribute: DenseIntOrFPElementsAttr[Any]) -> int:
        type_ = attribute.type
        header = varint(self.type(type_))
        try:
            layout = element_layout(type_.get_element_type())
        except ValueError as error:
            raise BytecodeWriteError(str(error)) from None
        count = 1
        for extent in type_.get_shape():
            count *= extent
        data = attribute.data.data
        if count < 0 or len(data) != layout.xdsl_size(count):
            raise BytecodeWriteError(f"a dense constant of type {type_} has {len(data)} bytes")
        raw = to_mlir(data, layout, count)
        if len(raw) < _LARGE_BYTES:
            return self._native(AttributeCode.DENSE_ELEMENTS, header + varint(len(raw)) + raw)
        large = raw if isinstance(raw, bytes) else bytes(raw)
        return self._native(AttributeCode.DENSE_ELEMENTS, header + varint(len(raw)), large)

    # ---- sections -------------------------------------------------------------------------------

    def sections(self) -> tuple[list[Buffer], list[Buffer]]:
        """The data of the offset section and of the attribute section, as chunks."""
        entries = [*self._attributes.index, *self._types.index]
        counts = (len(self._attributes.index), len(self._types.index))
        offsets = [varint(counts[0]), varint(counts[1])]
        for start, end in _runs(entries, split=counts[0]):
            offsets += (varint(entries[start][0]), varint(end - start))
            for _, native, data, large in entries[start:end]:
                offsets.append(varint((len(data) + len(large)) << 1 | native))
        chunks: list[Buffer] = []
        for _, _, data, large in entries:
            chunks.append(data)
            if large:
                chunks.append(large)
        return [b"".join(offsets)], chunks


def _runs(entries: list[tuple[int, bool, bytes, bytes]], split: int) -> Iterable[tuple[int, int]]:
    """Neighbours of one dialect as [start, end); attributes and types are apart."""
    start = 0
    for index in range(1, len(entries) + 1):
        at_end = index == len(entries) or index == split
        if at_end or entries[index][0] != entries[start][0]:
            yield start, index
            start = index


def fold_fused(location: FusedLoc) -> Attribute:
    """A fused location as MLIR makes it, whose reader fails on others: the locations in it each
    once, without unknown ones, those of fused ones inside it, and a lone one for itself."""
    folded = list(dict.fromkeys(_fused_parts(location, location.metadata)))
    if not folded and isinstance(location.metadata, NoneAttr):
        return UnknownLoc()
    if len(folded) == 1 and isinstance(location.metadata, NoneAttr):
        return folded[0]
    return FusedLoc(tuple(folded) or (UnknownLoc(),), location.metadata)


def _fused_parts(location: FusedLoc, metadata: Attribute) -> Iterable[Attribute]:
    for part in cast("ArrayAttr[Attribute]", location.locations).data:
        if isinstance(part, FusedLoc) and part.metadata == metadata:
            yield from _fused_parts(part, metadata)
        elif not isinstance(part, UnknownLoc | NoneAttr):
            yield fold_fused(part) if isinstance(part, FusedLoc) else part


def _dialect_of(attribute: Attribute) -> str:
    if isinstance(attribute, UnregisteredAttr):
        return attribute.attr_name.data.partition(".")[0]
    dialect, dot, _ = attribute.name.partition(".")
    return dialect if dot else BUILTIN


def resource_handles(attribute: Attribute) -> Iterable[str]:
    """The resource handles inside an attribute."""
    if isinstance(attribute, DenseResourceAttr):
        yield attribute.resource_handle.data
    elif isinstance(attribute, ArrayAttr):
        for element in cast("ArrayAttr[Attribute]", attribute).data:
            yield from resource_handles(element)
    elif isinstance(attribute, DictionaryAttr):
        for element in attribute.data.values():
            yield from resource_handles(element)
    else:  # a parametrized attribute, or another that says its parameters as those do
        for parameter in getattr(attribute, "parameters", ()):
            yield from resource_handles(parameter)
