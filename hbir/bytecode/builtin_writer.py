"""The builtin dialect's attributes and types to bytes: a function for each class.

Each gives the code and what follows it, numbering the attributes it refers to through an
`AttributeWriter`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BytesAttr,
    CallSiteLoc,
    ComplexType,
    DenseArrayBase,
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
    VectorType,
)
from xdsl.ir import Attribute
from xdsl.ir.affine import AffineMap

from hbir.bytecode.codes import SIGNEDNESS, SINGLETON_TYPES, AttributeCode, TypeCode
from hbir.bytecode.elements import (
    INDEX_WIDTH,
    MAX_INTEGER_WIDTH,
    element_layout,
    float_bits,
    integer_bits,
    to_mlir,
)
from hbir.bytecode.encoding import signed_varint, varint
from hbir.bytecode.errors import BytecodeWriteError

if TYPE_CHECKING:
    from hbir.bytecode.attribute_writer import AttributeWriter

Encoder: TypeAlias = Callable[["AttributeWriter", Any], bytes]


def number_list(numbers: list[int]) -> bytes:
    """A counted list of numbers."""
    return varint(len(numbers)) + b"".join(map(varint, numbers))


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
    body = number_list([w.location(location) for location in locations])
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


ATTRIBUTE_ENCODERS: dict[type[Attribute], Encoder] = {
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
    encoded = [signed_varint(extent) for extent in extents]
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


def _singleton(code: TypeCode) -> Encoder:
    return lambda w, t: varint(code)


TYPE_ENCODERS: dict[type[Attribute], Encoder] = {
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
