"""The codes of the builtin dialect's attributes and types in bytecode.

The facts are those of MLIR's BuiltinDialectBytecode definition; mlir-opt checks them in the tests.
"""

from __future__ import annotations

from enum import IntEnum

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    Float80Type,
    Float128Type,
    IndexType,
    NoneType,
    Signedness,
)
from xdsl.ir import Attribute

BUILTIN = "builtin"


class AttributeCode(IntEnum):
    """First number of an encoded attribute."""

    ARRAY = 0
    DICTIONARY = 1
    STRING = 2
    STRING_WITH_TYPE = 3
    FLAT_SYMBOL_REF = 4
    SYMBOL_REF = 5
    TYPE = 6
    UNIT = 7
    INTEGER = 8
    FLOAT = 9
    CALL_SITE_LOC = 10
    FILE_LINE_COL_LOC = 11
    FUSED_LOC = 12
    FUSED_LOC_WITH_METADATA = 13
    NAME_LOC = 14
    UNKNOWN_LOC = 15
    DENSE_RESOURCE = 16
    DENSE_ARRAY = 17
    DENSE_ELEMENTS = 18
    DENSE_STRINGS = 19
    SPARSE_ELEMENTS = 20
    DISTINCT = 21
    FILE_LINE_COL_RANGE = 22


class TypeCode(IntEnum):
    """First number of an encoded type."""

    INTEGER = 0
    INDEX = 1
    FUNCTION = 2
    BF16 = 3
    F16 = 4
    F32 = 5
    F64 = 6
    F80 = 7
    F128 = 8
    COMPLEX = 9
    MEMREF = 10
    MEMREF_WITH_SPACE = 11
    NONE = 12
    TENSOR = 13
    TENSOR_WITH_ENCODING = 14
    TUPLE = 15
    UNRANKED_MEMREF = 16
    UNRANKED_MEMREF_WITH_SPACE = 17
    UNRANKED_TENSOR = 18
    VECTOR = 19
    SCALABLE_VECTOR = 20


SINGLETON_TYPES: dict[TypeCode, Attribute] = {
    TypeCode.INDEX: IndexType(),
    TypeCode.BF16: BFloat16Type(),
    TypeCode.F16: Float16Type(),
    TypeCode.F32: Float32Type(),
    TypeCode.F64: Float64Type(),
    TypeCode.F80: Float80Type(),
    TypeCode.F128: Float128Type(),
    TypeCode.NONE: NoneType(),
}
"""Types that are their code and nothing more."""

SIGNEDNESS = (Signedness.SIGNLESS, Signedness.SIGNED, Signedness.UNSIGNED)
"""By the low two bits of an encoded integer type."""
