"""Python values as properties, and back."""

from __future__ import annotations

import math
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ArrayAttr, FloatAttr, f64

from hbir.ir.op import to_attribute, to_python


@given(st.lists(st.floats()))
def test_a_list_of_floats_is_what_xdsl_makes_of_each(values: list[float]) -> None:
    attribute = cast(ArrayAttr[FloatAttr], to_attribute(values))
    expected = ArrayAttr([FloatAttr(value, f64) for value in values])
    assert attribute == expected
    assert hash(attribute) == hash(expected)
    attribute.verify()
    for item in attribute:
        item.verify()
    for value, back in zip(values, to_python(attribute), strict=True):
        assert math.copysign(1, value) == math.copysign(1, back)
        assert value == back or (math.isnan(value) and math.isnan(back))


def test_a_mixed_list_keeps_its_kinds() -> None:
    assert to_python(to_attribute([1, 2.5, True, "x", [0.5]])) == (1, 2.5, True, "x", (0.5,))
