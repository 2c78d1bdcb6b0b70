"""bpu.matmul against plain Python integers, on the extremes that float sums could lose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.bounds import ACCUMULATOR_LIMIT, matmul_bound
from hbir.kernels.integer.matmul import matmul, matmul_accumulate
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import MULTIPLIERS, tensors

DTYPES = st.sampled_from([np.int8, np.int16])
Shape = tuple[int, ...]


def plain(
    lhs: Any, rhs: Any, multiplier: int, shift: int, zero_points: tuple[int, int], dtype: Any
) -> Any:
    """The formula of docs/arithmetic.md, an element at a time."""
    batch = np.broadcast_shapes(lhs.shape[:-2], rhs.shape[:-2])
    left = np.broadcast_to(lhs, (*batch, *lhs.shape[-2:]))
    right = np.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    result = np.empty((*batch, lhs.shape[-2], rhs.shape[-2]), dtype)
    for *where, m, n in np.ndindex(result.shape):
        rows = zip(left[(*where, m)].tolist(), right[(*where, n)].tolist(), strict=True)
        total = sum((x - zero_points[0]) * y for x, y in rows)
        value = oracle.round_half_up(total * multiplier, shift) + zero_points[1]
        result[(*where, m, n)] = oracle.saturated(value, dtype)
    return result


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.sampled_from([((), ()), ((2,), (2,)), ((2, 3), (1, 3)), ((3,), (2, 1)), ((), (2,))]),
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(DTYPES, DTYPES, DTYPES),
    MULTIPLIERS,
    st.integers(14, 40),
)
def test_matmul_equals_plain_integers(
    data: st.DataObject,
    batches: tuple[Shape, Shape],
    extents: Shape,
    dtypes: tuple[Any, Any, Any],
    multiplier: int,
    shift: int,
):
    rows, columns, terms = extents
    lhs = data.draw(tensors((*batches[0], rows, terms), dtypes[0]))
    rhs = data.draw(tensors((*batches[1], columns, terms), dtypes[1]))
    zero_points = data.draw(st.tuples(st.integers(-128, 127), st.integers(-128, 127)))
    got = matmul(
        lhs,
        rhs,
        multiplier=multiplier,
        shift=shift,
        lhs_zero_point=zero_points[0],
        output_zero_point=zero_points[1],
        dtype=dtypes[2],
    )
    assert got.dtype == dtypes[2]
    expected = plain(lhs, rhs, multiplier, shift, zero_points, dtypes[2])
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("terms", [1024, 1025, 4608, 65535])
@pytest.mark.parametrize("dtypes", [(np.int8, np.int8), (np.int16, np.int8), (np.int16, np.int16)])
def test_sums_of_extremes_are_exact(terms: int, dtypes: tuple[Any, Any]):
    lhs = np.full((1, terms), np.iinfo(dtypes[0]).min, dtypes[0])
    rhs = np.full((2, terms), np.iinfo(dtypes[1]).min, dtypes[1])
    rhs[1, 0] += 1
    exact = terms * int(lhs[0, 0]) * int(rhs[0, 0])
    assert matmul_accumulate(lhs, rhs).tolist() == [[exact, exact + int(lhs[0, 0])]]


@pytest.mark.parametrize("dtypes", [(np.int8, np.int8), (np.int16, np.int8), (np.int16, np.int16)])
def test_the_longest_product_fits_its_accumulator(dtypes: tuple[Any, Any]):
    width = max(np.dtype(dtype).itemsize for dtype in dtypes)
    zero_point = -128 if width == 1 else 0
    assert matmul_bound(65535, *dtypes, zero_point) < ACCUMULATOR_LIMIT[width]
