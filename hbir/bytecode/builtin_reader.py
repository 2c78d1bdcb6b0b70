"""Bytes to the builtin dialect's attributes and types: a function for each code.

Each reads what follows the code, resolving the numbers of other attributes through an
`AttributeReader`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from typing_extensions import TypeIs
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyFloat,
    ArrayAttr,
    BoolAttr,
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
    IntAttr,
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
    i1,
)
from xdsl.ir import Attribute, TypeAttribute
from xdsl.ir.affine import AffineMap

from hbir.bytecode.codes import SIGNEDNESS, SINGLETON_TYPES, AttributeCode, TypeCode
from hbir.bytecode.elements import (
    INDEX_WIDTH,
    MAX_INTEGER_WIDTH,
    MAX_VALUE_WIDTH,
    element_layout,
    float_of_bits,
    read_integer_bits,
    to_xdsl,
)
from hbir.bytecode.encoding import Cursor

if TYPE_CHECKING:
    from hbir.bytecode.attribute_reader import AttributeReader

_NONE = NoneAttr()
_UNKNOWN = UnknownLoc()

Reading: TypeAlias = Callable[["AttributeReader", Cursor], Attribute]


# ---- readers of builtin attributes --------------------------------------------------------------


def _dictionary(r: AttributeReader, c: Cursor) -> Attribute:
    entries: dict[str, Attribute] = {}
    for _ in range(c.count("dictionary entries")):
        key = r.a_string(c).data
        if key in entries:
            raise c.error(f"key {key!r} twice in a dictionary")
        entries[key] = r.an_attribute(c)
    return DictionaryAttr(entries)


def _string(r: AttributeReader, c: Cursor) -> Attribute:
    raw = r.raw_string(c)
    try:
        return StringAttr(raw.decode())
    except UnicodeDecodeError:
        return BytesAttr(raw)


def _symbol(r: AttributeReader, c: Cursor) -> Attribute:
    root = r.a_string(c)
    nested: list[StringAttr] = []
    for attribute in r.attributes(c):
        if not isinstance(attribute, SymbolRefAttr) or attribute.nested_references.data:
            raise c.error("a nested symbol reference is not a flat one")
        nested.append(attribute.root_reference)
    return SymbolRefAttr(root, ArrayAttr(nested))


def _is_integer(type_: Attribute) -> TypeIs[IntegerType]:
    return isinstance(type_, IntegerType)


def _integer(r: AttributeReader, c: Cursor) -> Attribute:
    type_ = r.a_type(c)
    if isinstance(type_, IndexType):
        bits = read_integer_bits(c, INDEX_WIDTH)
        return IntegerAttr(bits - (bits >> 63 << 64), type_)
    if not _is_integer(type_):
        raise c.error("an integer attribute of a type that is not an integer")
    width = type_.width.data
    if width > MAX_VALUE_WIDTH:
        raise c.error(f"an integer attribute of {width} bits, {MAX_VALUE_WIDTH} at most are read")
    bits = read_integer_bits(c, width)
    if width and type_.signedness.data == SIGNEDNESS[1]:
        bits -= bits >> (width - 1) << width
    return IntegerAttr(bits, type_)


def _float(r: AttributeReader, c: Cursor) -> Attribute:
    type_ = r.a_type(c)
    if not isinstance(type_, AnyFloat):
        raise c.error("a float attribute of a type that is not a float")
    bits = read_integer_bits(c, type_.bitwidth)
    return FloatAttr(float_of_bits(bits, type_), type_)


@lru_cache(maxsize=1024)
def _int(value: int) -> IntAttr:
    return IntAttr(value)


def _file_line(r: AttributeReader, c: Cursor) -> Attribute:
    return FileLineColLoc(r.a_string(c), _int(c.varint()), _int(c.varint()))


def _file_line_range(r: AttributeReader, c: Cursor) -> Attribute:
    """A range from a place to another; xDSL has only places, so its start is kept."""
    filename = r.a_string(c)
    numbers = [c.varint() for _ in range(c.count("numbers of a location"))]
    line, column = (*numbers, 0, 0)[:2]
    return FileLineColLoc(filename, _int(line), _int(column))


def _locations(r: AttributeReader, c: Cursor) -> ArrayAttr[Attribute]:
    return ArrayAttr([r.a_location(c) for _ in range(c.count("locations"))])


def _dense_resource(r: AttributeReader, c: Cursor) -> Attribute:
    type_ = r.a_type(c)
    if not isinstance(type_, TensorType | VectorType | MemRefType):
        raise c.error("a dense constant of a type without a shape")
    shaped = cast("TensorType[Attribute]", type_)
    return DenseResourceAttr.from_params(r.handle(c), shaped)


def _dense_array(r: AttributeReader, c: Cursor) -> Attribute:
    type_ = r.a_type(c)
    if not (_is_integer(type_) or isinstance(type_, AnyFloat)):
        raise c.error("a dense array of a type that is no number")
    layout = replace(element_layout(type_), packed=False)
    count = c.varint()
    size = c.varint()
    if size != layout.mlir_size(count):
        raise c.error(f"a dense array of {count} elements in {size} bytes")
    raw = c.bytes(size, "dense array")
    data = to_xdsl(raw, layout, count) if layout.width else bytes(raw)
    return DenseArrayBase[Any](type_, BytesAttr(data))


def _dense_elements(r: AttributeReader, c: Cursor) -> Attribute:
    type_ = r.a_type(c)
    if not isinstance(type_, TensorType | VectorType | MemRefType):
        raise c.error("a dense constant of a type without a shape")
    shaped = cast("TensorType[Attribute]", type_)
    layout = element_layout(shaped.get_element_type())
    count = _element_count(shaped, c)
    size = c.varint()
    if size != layout.mlir_size(count):
        if size != layout.mlir_element_bytes:
            raise c.error(f"a dense constant of {count} elements in {size} bytes")
        r.reserve_splat(layout.xdsl_size(count), c)
    data = c.bytes(size, "dense constant")
    if layout.packed and size == 1 and count > 8 and data[0] not in (0, 0xFF):
        raise c.error("a constant of one bit for all elements has others set")
    dense: Any = DenseIntOrFPElementsAttr  # its constructor is typed by element
    return dense(shaped, BytesAttr(to_xdsl(data, layout, count)))


def _element_count(type_: TensorType[Attribute], c: Cursor) -> int:
    count = 1
    for extent in type_.get_shape():
        if extent < 0:
            raise c.error("a dense constant of a type with a dynamic extent")
        count *= extent
        if count > 1 << 62:
            raise c.error("a dense constant of more elements than can be counted")
    return count


ATTRIBUTE_READERS: dict[int, Reading] = {
    AttributeCode.ARRAY: lambda r, c: ArrayAttr(r.attributes(c)),
    AttributeCode.DICTIONARY: _dictionary,
    AttributeCode.STRING: _string,
    AttributeCode.FLAT_SYMBOL_REF: lambda r, c: SymbolRefAttr(r.a_string(c)),
    AttributeCode.SYMBOL_REF: _symbol,
    AttributeCode.TYPE: lambda r, c: r.a_type(c),
    AttributeCode.UNIT: lambda r, c: UnitAttr(),
    AttributeCode.INTEGER: _integer,
    AttributeCode.FLOAT: _float,
    AttributeCode.CALL_SITE_LOC: lambda r, c: CallSiteLoc(r.a_location(c), r.a_location(c)),
    AttributeCode.FILE_LINE_COL_LOC: _file_line,
    AttributeCode.FUSED_LOC: lambda r, c: FusedLoc(_locations(r, c), _NONE),
    AttributeCode.FUSED_LOC_WITH_METADATA: lambda r, c: FusedLoc(
        _locations(r, c), r.an_attribute(c)
    ),
    AttributeCode.NAME_LOC: lambda r, c: NameLoc(r.a_string(c), r.a_child_location(c)),
    AttributeCode.UNKNOWN_LOC: lambda r, c: _UNKNOWN,
    AttributeCode.DENSE_RESOURCE: _dense_resource,
    AttributeCode.DENSE_ARRAY: _dense_array,
    AttributeCode.DENSE_ELEMENTS: _dense_elements,
    AttributeCode.FILE_LINE_COL_RANGE: _file_line_range,
}


# ---- readers of builtin types -------------------------------------------------------------------


def _integer_type(r: AttributeReader, c: Cursor) -> Attribute:
    both = c.varint()
    width, signedness = both >> 2, both & 3
    if width > MAX_INTEGER_WIDTH or signedness >= len(SIGNEDNESS):
        raise c.error(f"integer type of width {width} and signedness {signedness}")
    return IntegerType(width, SIGNEDNESS[signedness])


def _complex_type(r: AttributeReader, c: Cursor) -> Attribute:
    element: Any = r.a_type(c)
    return ComplexType[Any](element)


def _memref_type(r: AttributeReader, c: Cursor, space: Attribute | None = None) -> Attribute:
    shape = r.shape(c)
    element = r.a_type(c)
    layout: Any = r.an_attribute(c)
    if isinstance(layout, AffineMapAttr) and layout.data == AffineMap.identity(len(shape)):
        layout = _NONE
    return MemRefType.new((shape, element, layout, space or _NONE))


def _tensor_type(r: AttributeReader, c: Cursor, encoding: Attribute | None = None) -> Attribute:
    shape = r.shape(c)
    return TensorType.new((shape, r.a_type(c), encoding or _NONE))


def _unranked_memref(r: AttributeReader, c: Cursor, space: Attribute | None = None) -> Attribute:
    return UnrankedMemRefType.new((r.a_type(c), space or _NONE))


def _vector_type(r: AttributeReader, c: Cursor, scalable: Sequence[int] = ()) -> Attribute:
    shape = r.shape(c)
    if scalable and len(scalable) != len(shape):
        raise c.error(f"vector of rank {len(shape)} with {len(scalable)} scalable flags")
    flags = scalable or [0] * len(shape)
    dims = ArrayAttr([BoolAttr(bool(flag), i1) for flag in flags])
    return VectorType.new((r.a_type(c), shape, dims))


def _scalable_vector(r: AttributeReader, c: Cursor) -> Attribute:
    flags = [c.byte() for _ in range(c.count("scalable flags"))]
    return _vector_type(r, c, flags)


def _function_type(r: AttributeReader, c: Cursor) -> Attribute:
    inputs = r.types(c)
    return FunctionType.from_lists(inputs, r.types(c))


def _tuple_type(r: AttributeReader, c: Cursor) -> Attribute:
    types = cast("list[TypeAttribute]", r.types(c))
    return TupleType.new((ArrayAttr(types),))


def _singleton(type_: Attribute) -> Reading:
    return lambda r, c: type_


TYPE_READERS: dict[int, Reading] = {
    TypeCode.INTEGER: _integer_type,
    TypeCode.FUNCTION: _function_type,
    TypeCode.COMPLEX: _complex_type,
    TypeCode.MEMREF: _memref_type,
    TypeCode.MEMREF_WITH_SPACE: lambda r, c: _memref_type(r, c, r.an_attribute(c)),
    TypeCode.TENSOR: _tensor_type,
    TypeCode.TENSOR_WITH_ENCODING: lambda r, c: _tensor_type(r, c, r.an_attribute(c)),
    TypeCode.TUPLE: _tuple_type,
    TypeCode.UNRANKED_MEMREF: _unranked_memref,
    TypeCode.UNRANKED_MEMREF_WITH_SPACE: lambda r, c: _unranked_memref(r, c, r.an_attribute(c)),
    TypeCode.UNRANKED_TENSOR: lambda r, c: UnrankedTensorType.new((r.a_type(c),)),
    TypeCode.VECTOR: _vector_type,
    TypeCode.SCALABLE_VECTOR: _scalable_vector,
    **{code: _singleton(type_) for code, type_ in SINGLETON_TYPES.items()},
}
