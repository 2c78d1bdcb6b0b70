"""Numbers in MLIR's storage against plain Python, and encodings of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import (
    AnyFloat,
    ComplexType,
    Float32Type,
    Float64Type,
    Float80Type,
    Float128Type,
    IntegerType,
    Signedness,
)

from hbir.bytecode.elements import (
    element_layout,
    float_bits,
    float_of_bits,
    integer_bits,
    read_integer_bits,
    to_mlir,
    to_xdsl,
)
from hbir.bytecode.encoding import Cursor, signed_varint, unzigzag, varint

SIGNEDNESS = (Signedness.SIGNLESS, Signedness.SIGNED, Signedness.UNSIGNED)


@given(st.integers(0, (1 << 64) - 1))
def test_varints(value: int) -> None:
    data = varint(value)
    cursor = Cursor(data, "test")
    assert cursor.varint() == value
    assert cursor.left == 0
    assert len(data) == min(9, max(1, -(-value.bit_length() // 7)))


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_signed_varints(value: int) -> None:
    cursor = Cursor(signed_varint(value), "test")
    assert cursor.signed_varint() == value
    assert unzigzag(Cursor(signed_varint(value), "test").varint()) == value


@given(st.integers(0, 300), st.integers())
def test_integers_of_any_width(width: int, value: int) -> None:
    cursor = Cursor(integer_bits(value, width), "test")
    assert read_integer_bits(cursor, width) == value % (1 << width)
    assert cursor.left == 0


@given(st.integers(1, 64), st.sampled_from(SIGNEDNESS), st.data())
def test_dense_integers(width: int, signedness: Signedness, data: st.DataObject) -> None:
    """MLIR's bytes are ceil(width / 8) each, zero-extended, i1 packed; written out here anew."""
    type_ = IntegerType(width, signedness)
    low, high = type_.value_range()
    values = data.draw(st.lists(st.integers(low, high - 1), min_size=1, max_size=20))
    normal = [type_.get_normalized_value(value) for value in values]
    layout = element_layout(type_)
    stored = type_.pack(normal)
    raw = bytes(to_mlir(stored, layout, len(values)))
    assert raw == mlir_bytes(normal, width)
    assert to_xdsl(raw, layout, len(values)) == stored


def mlir_bytes(values: list[int], width: int) -> bytes:
    unsigned = [value % (1 << width) for value in values]
    if width == 1:
        if len(set(unsigned)) == 1:
            return b"\xff" if unsigned[0] else b"\0"
        bits = sum(bit << index for index, bit in enumerate(unsigned))
        return bits.to_bytes((len(values) + 7) // 8, "little")
    if len(set(unsigned)) == 1:
        unsigned = unsigned[:1]
    return b"".join(value.to_bytes((width + 7) // 8, "little") for value in unsigned)


def test_complex_integers_are_pairs() -> None:
    layout = element_layout(ComplexType(IntegerType(4)))
    assert to_mlir(b"\xff\x01\x02\xfe", layout, 2) == b"\x0f\x01\x02\x0e"
    assert to_xdsl(b"\x0f\x01\x02\x0e", layout, 2) == b"\xff\x01\x02\xfe"
    assert to_xdsl(b"\x0f\x01", layout, 3) == b"\xff\x01" * 3


@pytest.mark.parametrize("type_", [IntegerType(0), IntegerType(65), Float80Type()])
def test_elements_that_xdsl_cannot_store_are_refused(type_: IntegerType | AnyFloat) -> None:
    with pytest.raises(ValueError, match="can't be stored"):
        element_layout(type_)


@given(st.floats(allow_nan=False))
def test_wide_floats_hold_doubles_exactly(value: float) -> None:
    for type_ in (Float80Type(), Float128Type(), Float64Type()):
        back = float_of_bits(float_bits(value, type_), type_)
        assert np.float64(back).tobytes() == np.float64(value).tobytes()


@given(st.floats(allow_nan=False))
def test_f80_is_x87s(value: float) -> None:
    if np.finfo(np.longdouble).nmant != 63:
        pytest.skip("long double isn't x87's here")
    expected = int.from_bytes(np.longdouble(value).tobytes()[:10], "little")
    assert float_bits(value, Float80Type()) == expected


def test_a_float_that_no_double_holds_is_refused() -> None:
    bits = float_bits(1.0, Float80Type()) | 1
    with pytest.raises(ValueError, match="not a double's"):
        float_of_bits(bits, Float80Type())
    with pytest.raises(ValueError, match="not a double's"):
        float_of_bits(0x7FFE << 112, Float128Type())


def test_nan_keeps_its_payload() -> None:
    assert float_of_bits(0x7FC00001, Float32Type()) != 0
    assert float_bits(float_of_bits(0x7FC00001, Float32Type()), Float32Type()) == 0x7FC00001
    assert np.isnan(float_of_bits(float_bits(np.nan, Float80Type()), Float80Type()))
