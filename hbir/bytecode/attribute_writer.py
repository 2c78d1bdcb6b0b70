"""Attributes and types to bytes: each once, numbered in the order of first use.

An attribute's encoding refers to others by number, so its parts are numbered before it. That makes
equal attributes equal bytes, and the bytes are what is looked up, not the attributes: xDSL computes
a hash anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any, TypeAlias, cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BytesAttr,
    CallSiteLoc,
    ComplexType,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    DictionaryAttr,
    FileLineColLoc,
    FloatAttr,
    FunctionType,
    FusedLoc,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    NameLoc,
    NoneAttr,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    TupleType,
    UnitAttr,
    UnknownLoc,
    UnrankedMemRefType,
    UnrankedTensorType,
    UnregisteredAttr,
    VectorType,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.ir.affine import AffineMap
from xdsl.printer import Printer

from hbir.bytecode.codes import (
    BUILTIN,
    DYNAMIC,
    SIGNEDNESS,
    SINGLETON_TYPES,
    AttributeCode,
    TypeCode,
)
from hbir.bytecode.elements import (
    INDEX_WIDTH,
    MAX_INTEGER_WIDTH,
    element_layout,
    float_bits,
    integer_bits,
    to_mlir,
)
from hbir.bytecode.encoding import Buffer, signed_varint, varint
from hbir.bytecode.errors import BytecodeWriteError

_LARGE_BYTES = 4096
"""Dense data from this size on is kept as it is, not copied into its entry."""

_Encoder: TypeAlias = Callable[["AttributeWriter", Any], bytes]


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
        return self._types.remember(type_, self._encode(type_, _TYPE_ENCODERS, self._types))

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
            number = self._encode(attribute, _ATTRIBUTE_ENCODERS, self._attributes)
        return self._attributes.remember(cast(Attribute, attribute), number)

    def location(self, location: Attribute) -> int:
        """The number of a location; none is the unknown one."""
        if isinstance(location, NoneAttr):
            return self._native(AttributeCode.UNKNOWN_LOC, b"")
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
        self, attribute: Attribute, encoders: Mapping[type[Attribute], _Encoder], table: _Table
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
        Printer(stream).print_attribute(attribute)
        text = stream.getvalue()
        if "\0" in text:
            raise BytecodeWriteError(f"{text!r}: the text of an attribute can't hold a NUL")
        return text

    # ---- parts of encoders ----------------------------------------------------------------------

    def attributes(self, attributes: Iterable[Attribute]) -> bytes:
        """A counted list of attributes."""
        return _list([self.attribute(attribute) for attribute in attributes])

    def types(self, types: Iterable[Attribute]) -> bytes:
        """A counted list of types."""
        return _list([self.type(type_) for type_ in types])

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


def _list(numbers: list[int]) -> bytes:
    return varint(len(numbers)) + b"".join(map(varint, numbers))


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
    elif isinstance(attribute, ParametrizedAttribute):
        for parameter in attribute.parameters:
            yield from resource_handles(parameter)


# ---- encoders of builtin attributes -------------------------------------------------------------


def _array(w: AttributeWriter, a: ArrayAttr[Attribute]) -> bytes:
    return varint(AttributeCode.ARRAY) + w.attributes(a.data)


def _dictionary(w: AttributeWriter, a: DictionaryAttr) -> bytes:
    entries = [
        number for key, value in a.data.items() for number in (w.string(key), w.attribute(value))
    ]
    body = b"".join(map(varint, entries))
    return varint(AttributeCode.DICTIONARY) + varint(len(a.data)) + body


def _string(w: AttributeWriter, a: StringAttr | BytesAttr) -> bytes:
    return varint(AttributeCode.STRING) + varint(w.strings.add(a.data))


def _symbol(w: AttributeWriter, a: SymbolRefAttr) -> bytes:
    root = varint(w.attribute(a.root_reference))
    if not a.nested_references.data:
        return varint(AttributeCode.FLAT_SYMBOL_REF) + root
    nested = w.attributes(SymbolRefAttr(name) for name in a.nested_references.data)
    return varint(AttributeCode.SYMBOL_REF) + root + nested


def _unit(w: AttributeWriter, a: UnitAttr) -> bytes:
    return varint(AttributeCode.UNIT)


def _integer(w: AttributeWriter, a: IntegerAttr) -> bytes:
    width = INDEX_WIDTH if isinstance(a.type, IndexType) else a.type.width.data
    type_ = varint(w.type(a.type))
    return varint(AttributeCode.INTEGER) + type_ + integer_bits(a.value.data, width)


def _float(w: AttributeWriter, a: FloatAttr[Any]) -> bytes:
    bits = integer_bits(float_bits(a.value.data, a.type), a.type.bitwidth)
    return varint(AttributeCode.FLOAT) + varint(w.type(a.type)) + bits


def _call_site(w: AttributeWriter, a: CallSiteLoc) -> bytes:
    places = varint(w.location(a.callee)) + varint(w.location(a.caller))
    return varint(AttributeCode.CALL_SITE_LOC) + places


def _file_line(w: AttributeWriter, a: FileLineColLoc) -> bytes:
    if not (0 <= a.line.data < 1 << 32 and 0 <= a.column.data < 1 << 32):
        raise BytecodeWriteError(f"line {a.line.data}, column {a.column.data} is not a place")
    place = varint(a.line.data) + varint(a.column.data)
    return varint(AttributeCode.FILE_LINE_COL_LOC) + varint(w.attribute(a.filename)) + place


def _fused(w: AttributeWriter, a: FusedLoc) -> bytes:
    locations = cast("ArrayAttr[Attribute]", a.locations).data
    body = _list([w.location(location) for location in locations])
    if isinstance(a.metadata, NoneAttr):
        return varint(AttributeCode.FUSED_LOC) + body
    metadata = varint(w.attribute(a.metadata))
    return varint(AttributeCode.FUSED_LOC_WITH_METADATA) + body + metadata


def _name_loc(w: AttributeWriter, a: NameLoc) -> bytes:
    name = varint(w.attribute(a.desc))
    return varint(AttributeCode.NAME_LOC) + name + varint(w.location(a.location))


def _unknown(w: AttributeWriter, a: UnknownLoc) -> bytes:
    return varint(AttributeCode.UNKNOWN_LOC)


def _dense_resource(w: AttributeWriter, a: DenseResourceAttr) -> bytes:
    type_ = varint(w.type(cast(Attribute, a.type)))
    return varint(AttributeCode.DENSE_RESOURCE) + type_ + varint(w.resource(a.resource_handle.data))


def _dense_array(w: AttributeWriter, a: DenseArrayBase[Any]) -> bytes:
    try:
        layout = replace(element_layout(a.elt_type), packed=False)
    except ValueError as error:
        raise BytecodeWriteError(str(error)) from None
    data = a.data.data
    count = len(data) // layout.xdsl_bytes
    raw = (
        b"".join(
            bytes(to_mlir(data[at : at + layout.xdsl_bytes], layout, 1))
            for at in range(0, len(data), layout.xdsl_bytes)
        )
        if layout.width
        else data
    )
    header = varint(w.type(a.elt_type)) + varint(count)
    return varint(AttributeCode.DENSE_ARRAY) + header + varint(len(raw)) + raw


_ATTRIBUTE_ENCODERS: dict[type[Attribute], _Encoder] = {
    ArrayAttr: _array,
    DictionaryAttr: _dictionary,
    StringAttr: _string,
    BytesAttr: _string,
    SymbolRefAttr: _symbol,
    UnitAttr: _unit,
    IntegerAttr: _integer,
    FloatAttr: _float,
    CallSiteLoc: _call_site,
    FileLineColLoc: _file_line,
    FusedLoc: _fused,
    NameLoc: _name_loc,
    UnknownLoc: _unknown,
    DenseResourceAttr: _dense_resource,
    DenseArrayBase: _dense_array,
}


# ---- encoders of builtin types ------------------------------------------------------------------


def _shape(extents: Iterable[int]) -> bytes:
    encoded = [signed_varint(DYNAMIC if extent < 0 else extent) for extent in extents]
    return varint(len(encoded)) + b"".join(encoded)


def _integer_type(w: AttributeWriter, t: IntegerType) -> bytes:
    width = t.width.data
    if width > MAX_INTEGER_WIDTH:
        raise BytecodeWriteError(f"{t} is wider than MLIR's widest integer")
    return varint(TypeCode.INTEGER) + varint(width << 2 | SIGNEDNESS.index(t.signedness.data))


def _function_type(w: AttributeWriter, t: FunctionType) -> bytes:
    return varint(TypeCode.FUNCTION) + w.types(t.inputs.data) + w.types(t.outputs.data)


def _complex_type(w: AttributeWriter, t: ComplexType[Any]) -> bytes:
    return varint(TypeCode.COMPLEX) + varint(w.type(cast(Attribute, t.element_type)))


def _memref_type(w: AttributeWriter, t: MemRefType[Attribute]) -> bytes:
    shape = t.get_shape()
    layout = t.layout
    if isinstance(layout, NoneAttr):
        layout = AffineMapAttr(AffineMap.identity(len(shape)))
    rest = _shape(shape) + varint(w.type(t.element_type)) + varint(w.attribute(layout))
    if isinstance(t.memory_space, NoneAttr):
        return varint(TypeCode.MEMREF) + rest
    return varint(TypeCode.MEMREF_WITH_SPACE) + varint(w.attribute(t.memory_space)) + rest


def _tensor_type(w: AttributeWriter, t: TensorType[Attribute]) -> bytes:
    rest = _shape(t.get_shape()) + varint(w.type(t.element_type))
    if isinstance(t.encoding, NoneAttr):
        return varint(TypeCode.TENSOR) + rest
    return varint(TypeCode.TENSOR_WITH_ENCODING) + varint(w.attribute(t.encoding)) + rest


def _tuple_type(w: AttributeWriter, t: TupleType) -> bytes:
    return varint(TypeCode.TUPLE) + w.types(cast("ArrayAttr[Attribute]", t.types).data)


def _unranked_memref_type(w: AttributeWriter, t: UnrankedMemRefType[Attribute]) -> bytes:
    element = varint(w.type(t.element_type))
    if isinstance(t.memory_space, NoneAttr):
        return varint(TypeCode.UNRANKED_MEMREF) + element
    space = varint(w.attribute(t.memory_space))
    return varint(TypeCode.UNRANKED_MEMREF_WITH_SPACE) + space + element


def _unranked_tensor_type(w: AttributeWriter, t: UnrankedTensorType[Attribute]) -> bytes:
    return varint(TypeCode.UNRANKED_TENSOR) + varint(w.type(t.element_type))


def _vector_type(w: AttributeWriter, t: VectorType[Attribute]) -> bytes:
    rest = _shape(t.get_shape()) + varint(w.type(t.element_type))
    scalable = t.get_scalable_dims()
    if not any(scalable):
        return varint(TypeCode.VECTOR) + rest
    return varint(TypeCode.SCALABLE_VECTOR) + varint(len(scalable)) + bytes(scalable) + rest


def _singleton(code: TypeCode) -> _Encoder:
    return lambda w, t: varint(code)


_TYPE_ENCODERS: dict[type[Attribute], _Encoder] = {
    IntegerType: _integer_type,
    FunctionType: _function_type,
    ComplexType: _complex_type,
    MemRefType: _memref_type,
    TensorType: _tensor_type,
    TupleType: _tuple_type,
    UnrankedMemRefType: _unranked_memref_type,
    UnrankedTensorType: _unranked_tensor_type,
    VectorType: _vector_type,
    **{type(type_): _singleton(code) for code, type_ in SINGLETON_TYPES.items()},
}
