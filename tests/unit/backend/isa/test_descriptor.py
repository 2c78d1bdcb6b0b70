"""Descriptors: records keep them, and malformed ones are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.descriptor import (
    TensorDescriptor,
    channel_padded,
    decode_descriptors,
    dense,
    encode_descriptors,
)
from hbir.backend.isa.enums import DType, Space
from hbir.errors import HbirError


@st.composite
def descriptors(draw: st.DrawFn) -> TensorDescriptor:
    """Padded and ringed operands of any rank."""
    shape = draw(st.lists(st.integers(1, 9), max_size=6).map(tuple))
    space, dtype = draw(st.sampled_from(Space)), draw(st.sampled_from(DType))
    base = draw(st.integers(0, 1 << 40))
    if not shape:
        return dense(space, base, dtype, shape)
    made = channel_padded(space, base, dtype, shape, draw(st.sampled_from([8, 32])))
    if len(shape) > 1 and draw(st.booleans()):
        rows = shape[1] + draw(st.integers(0, 3))
        made = made._replace(ring_rows=rows, ring_start=draw(st.integers(0, rows - 1)))
    return made._replace(port=draw(st.integers(0, 3)))


@given(st.lists(descriptors(), max_size=8))
def test_records_keep_descriptors(given_descriptors: list[TensorDescriptor]) -> None:
    assert decode_descriptors(encode_descriptors(given_descriptors)) == given_descriptors


def test_channels_are_padded_to_whole_lanes() -> None:
    padded = channel_padded(Space.L1, 0, DType.SI16, (1, 2, 3, 5), 32)
    assert padded.strides == (192, 96, 32, 2)
    assert padded.padding_bytes == 22
    assert channel_padded(Space.L1, 0, DType.SI8, (1, 2, 3, 64), 32).padding_bytes == 0


GOOD = channel_padded(Space.L1, 64, DType.SI8, (1, 4, 4, 24), 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strides": (512, 128, 16, 1)}, "elements overlap"),
        ({"strides": (0, 0, 0, 0)}, "elements overlap"),
        ({"strides": (512, 128, -32, 1)}, "malformed strides"),
        ({"shape": (1, 0, 4, 24)}, "malformed shape"),
        ({"base": -1}, "malformed base"),
        ({"padding_bytes": -1}, "malformed padding"),
        ({"ring_rows": 3}, "malformed ring"),
        ({"ring_rows": 4, "ring_start": 4}, "malformed ring"),
        ({"ring_start": 1}, "malformed ring"),
    ],
)
def test_malformed_records_are_refused(change: dict[str, object], message: str) -> None:
    records = encode_descriptors([GOOD, GOOD._replace(**change)])
    with pytest.raises(HbirError, match=f"descriptor 1: .*{message}"):
        decode_descriptors(records)


@pytest.mark.parametrize(("field", "value"), [("space", 6), ("dtype", 12), ("rank", 7)])
def test_unknown_codes_are_refused(field: str, value: int) -> None:
    records = encode_descriptors([GOOD])
    records[field] = value
    with pytest.raises(HbirError, match="malformed"):
        decode_descriptors(records)


def test_what_no_record_holds_is_refused() -> None:
    with pytest.raises(HbirError, match="at most 6"):
        encode_descriptors([dense(Space.L1, 0, DType.SI8, (1,) * 7)])
    with pytest.raises(HbirError, match="doesn't fit its record"):
        encode_descriptors([dense(Space.L1, 1 << 70, DType.SI8, (1,))])
    assert len(encode_descriptors([])) == 0
    assert encode_descriptors([GOOD])["shape"].dtype == np.int32
