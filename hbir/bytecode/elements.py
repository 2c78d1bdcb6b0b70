"""Numbers as MLIR stores them, and as xDSL does.

They differ for integers of odd widths: MLIR keeps ceil(width / 8) bytes, zero-extended, and packs
dense i1 eight to a byte; xDSL keeps 1, 2, 4 or 8 bytes, sign-extended unless unsigned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    AnyFloat,
    ComplexType,
    Float80Type,
    Float128Type,
    IndexType,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute

from hbir.bytecode.encoding import UINT64, Buffer, Cursor, unzigzag, varint, zigzag

MAX_INTEGER_WIDTH = (1 << 24) - 1
"""Bits of MLIR's widest integer type."""

MAX_VALUE_WIDTH = 1 << 16
"""Bits of the widest integer attribute read: xDSL computes 2^width for each of them."""

INDEX_WIDTH = 64


# ---- single values ------------------------------------------------------------------------------


def integer_bits(value: int, width: int) -> bytes:
    """An integer of a known width: a byte, a signed varint, or words of 64 bits."""
    bits = value & ((1 << width) - 1)
    if width <= 8:
        return bytes((bits,))
    if width <= 64:
        return varint(zigzag(_as_int64(bits)))
    words = max(1, (bits.bit_length() + 63) // 64)
    parts = [varint(zigzag(_as_int64(bits >> (64 * index) & UINT64))) for index in range(words)]
    return varint(words) + b"".join(parts)


def read_integer_bits(cursor: Cursor, width: int) -> int:
    """The unsigned integer that `integer_bits` wrote."""
    mask = (1 << width) - 1
    if width <= 8:
        return cursor.byte() & mask
    if width <= 64:
        return unzigzag(cursor.varint()) & mask
    words = cursor.count("words of an integer")
    if words > (width + 63) // 64:
        raise cursor.error(f"integer of {width} bits in {words} words")
    parts = [unzigzag(cursor.varint()) & UINT64 for _ in range(words)]
    return sum(part << (64 * index) for index, part in enumerate(parts)) & mask


def _as_int64(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


_WIDE_FLOATS: dict[type[Attribute], tuple[int, int, bool]] = {
    # significand bits behind the point, exponent bias, whether the leading 1 is stored
    Float80Type: (63, 16383, True),
    Float128Type: (112, 16383, False),
}


def float_bits(value: float, type_: AnyFloat) -> int:
    """The bits of a float attribute's value in its own format; exact."""
    if type(type_) in _WIDE_FLOATS:
        return _wide_bits(value, *_WIDE_FLOATS[type(type_)])
    return int.from_bytes(type_.pack((value,)), "little")


def float_of_bits(bits: int, type_: AnyFloat) -> float:
    """The value of `bits`. Raises ValueError for one that a Python float can't hold."""
    if type(type_) in _WIDE_FLOATS:
        return _wide_value(bits, *_WIDE_FLOATS[type(type_)])
    return type_.unpack(bits.to_bytes(type_.size, "little"), 1)[0]


def _wide_bits(value: float, fraction_bits: int, bias: int, leading: bool) -> int:
    raw = int.from_bytes(struct.pack("<d", value), "little")
    sign, fraction = raw >> 63, raw & ((1 << 52) - 1)
    if not isfinite(value):
        exponent, significand = 2 * bias + 1, fraction << (fraction_bits - 52)
    elif value == 0:
        exponent, significand = 0, 0
    else:  # a subnormal double is normal in the wider formats
        significand = fraction | (1 << 52) if raw >> 52 & 0x7FF else fraction
        exponent = max(raw >> 52 & 0x7FF, 1) - 1023 - (53 - significand.bit_length()) + bias
        significand <<= fraction_bits + 1 - significand.bit_length()
        significand &= (1 << fraction_bits) - 1
    stored = fraction_bits + leading
    if leading and exponent:
        significand |= 1 << fraction_bits
    return sign << (stored + 15) | exponent << stored | significand


def _wide_value(bits: int, fraction_bits: int, bias: int, leading: bool) -> float:
    from fractions import Fraction  # which imports decimal, for what hardly any file holds

    stored = fraction_bits + leading
    sign = -1.0 if bits >> (stored + 15) & 1 else 1.0
    exponent = bits >> stored & (2 * bias + 1)
    fraction = bits & ((1 << fraction_bits) - 1)
    if exponent == 2 * bias + 1:
        raw = struct.pack("<Q", 0x7FF << 52 | fraction >> (fraction_bits - 52))
        value = sign * struct.unpack("<d", raw)[0]
        exact = not fraction & ((1 << (fraction_bits - 52)) - 1) and isnan(value) == bool(fraction)
    else:
        hidden = bits >> fraction_bits & 1 if leading else int(exponent != 0)
        scale = Fraction(2) ** (max(exponent, 1) - bias - fraction_bits)
        magnitude = Fraction(fraction | hidden << fraction_bits) * scale
        # numbers far below the smallest double would take long fractions to compare
        value = (
            sign * float(magnitude) if exponent > bias - 1200 and exponent < bias + 1024 else 0.0
        )
        exact = magnitude == Fraction(abs(value))
    if not exact:
        raise ValueError(f"a {stored + 16}-bit float that is not a double's value")
    return value


# ---- dense elements -----------------------------------------------------------------------------


@dataclass(frozen=True)
class ElementLayout:
    """How the elements of a dense constant are stored, in bytes.

    `parts`: numbers per element, 2 for complex. `width`: bits of an integer whose stored bytes
    need converting, 0 where both store the same.
    """

    mlir_bytes: int
    xdsl_bytes: int
    parts: int = 1
    width: int = 0
    signed: bool = False
    packed: bool = False

    @property
    def mlir_element_bytes(self) -> int:
        """Bytes of an element in MLIR; of a packed one when it stands alone."""
        return self.mlir_bytes * self.parts

    def mlir_size(self, count: int) -> int:
        """Bytes of `count` elements in MLIR."""
        return (count + 7) // 8 if self.packed else count * self.mlir_element_bytes

    def xdsl_size(self, count: int) -> int:
        """Bytes of `count` elements in xDSL."""
        return count * self.xdsl_bytes * self.parts


def element_layout(type_: Attribute) -> ElementLayout:
    """The layout of an element type. Raises ValueError for a type xDSL can't store elements of."""
    if isinstance(type_, ComplexType):
        element = cast(Attribute, cast("ComplexType[Any]", type_).element_type)
        part = element_layout(element)
        return ElementLayout(part.mlir_bytes, part.xdsl_bytes, 2, part.width, part.signed)
    if isinstance(type_, IndexType):
        return ElementLayout(8, 8)
    if isinstance(type_, IntegerType):
        return _integer_layout(cast(IntegerType, type_))
    if not isinstance(type_, AnyFloat) or type(type_) in _WIDE_FLOATS:
        raise ValueError(f"dense elements of type {type_} can't be stored")
    size = type_.compile_time_size
    return ElementLayout(size, size)


def _integer_layout(type_: IntegerType) -> ElementLayout:
    width = type_.width.data
    if not 0 < width <= 64:
        raise ValueError(f"dense elements of type {type_} can't be stored")
    mlir_bytes = (width + 7) // 8
    xdsl_bytes = type_.compile_time_size
    if width == 8 * xdsl_bytes:
        return ElementLayout(mlir_bytes, xdsl_bytes)
    signed = type_.signedness.data != Signedness.UNSIGNED
    return ElementLayout(mlir_bytes, xdsl_bytes, 1, width, signed, packed=width == 1)


def to_mlir(data: bytes, layout: ElementLayout, count: int) -> Buffer:
    """xDSL's bytes of `count` elements as MLIR's; one element where all are the same."""
    size = layout.xdsl_bytes * layout.parts
    if count > 1 and is_splat(data, size):
        data, count = data[:size], 1
        if layout.packed:
            return b"\xff" if any(data) else b"\0"
    elif layout.packed:
        bits = np.packbits(np.frombuffer(data, np.uint8) != 0, bitorder="little").tobytes()
        # one byte of all ones means that all elements are 1, of all zeros that all are 0
        return b"\xff" if count == 1 and bits == b"\x01" else bits
    if not layout.width:
        return data
    values = np.frombuffer(data, f"<u{layout.xdsl_bytes}")
    masked = values & values.dtype.type((1 << layout.width) - 1)
    raw = masked.view(np.uint8).reshape(-1, layout.xdsl_bytes)
    return raw[:, : layout.mlir_bytes].tobytes()


def to_xdsl(data: Buffer, layout: ElementLayout, count: int) -> bytes:
    """MLIR's bytes as xDSL's of `count` elements; `data` may be of one element, for all.

    The caller has checked the size of `data`.
    """
    if layout.packed:
        return _unpack_bits(data, count, layout)
    if layout.width:
        data = _widen(data, layout)
    size = layout.xdsl_bytes * layout.parts
    repeats = count if len(data) == size else 1
    return bytes(data) * repeats


def _unpack_bits(data: Buffer, count: int, layout: ElementLayout) -> bytes:
    if len(data) == 1 and data[0] in (0, 0xFF):
        ones: Any = np.full(count, data[0] != 0)
    else:
        ones = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little") != 0
    return np.where(ones, 0xFF if layout.signed else 1, 0).astype(np.uint8).tobytes()


def _widen(data: Buffer, layout: ElementLayout) -> bytes:
    rows = np.frombuffer(data, np.uint8).reshape(-1, layout.mlir_bytes)
    wide: npt.NDArray[np.uint8] = np.zeros((len(rows), layout.xdsl_bytes), np.uint8)
    wide[:, : layout.mlir_bytes] = rows
    values = wide.reshape(-1).view(f"<u{layout.xdsl_bytes}")
    kind = values.dtype.type
    values = values & kind((1 << layout.width) - 1)
    if layout.signed:
        sign = kind(1 << (layout.width - 1))
        values = (values ^ sign) - sign
    return values.tobytes()


def is_splat(data: bytes, size: int) -> bool:
    """Whether all elements of `size` bytes are the same; looks at the first two before all."""
    if data[:size] != data[size : 2 * size]:
        return False
    raw = np.frombuffer(data, np.uint8)
    return bool(np.array_equal(raw[size:], raw[:-size]))
