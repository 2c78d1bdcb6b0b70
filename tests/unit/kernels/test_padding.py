"""Padding against numpy.pad, and cropping against slicing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.padding import pad_height_width

pads = st.tuples(*[st.integers(-2, 3)] * 4)


@given(pads, st.sampled_from([np.int8, np.float32]), st.integers(-5, 5))
def test_pads_and_crops_each_side(
    pad: tuple[int, int, int, int], dtype: type[np.generic], fill: int
) -> None:
    x = np.arange(2 * 5 * 6 * 3).reshape(2, 5, 6, 3).astype(dtype)
    top, left, bottom, right = (max(0, side) for side in pad)
    around = ((0, 0), (top, bottom), (left, right), (0, 0))
    expected = np.pad(x, around, constant_values=fill)
    height, width = expected.shape[1:3]
    crop_top, crop_left, crop_bottom, crop_right = (max(0, -side) for side in pad)
    expected = expected[:, crop_top : height - crop_bottom, crop_left : width - crop_right]
    result = pad_height_width(x, pad, fill)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == x.dtype
