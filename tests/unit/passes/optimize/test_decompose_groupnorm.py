"""decompose-groupnorm within its declared bound of float64."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.layernorm import GroupnormOp
from tests.unit.passes.optimize.decomposed import assert_within_bound, decomposed, normalized


@settings(max_examples=40, deadline=None)
@given(
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=7),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 999),
)
def test_decompose_groupnorm(
    leading: tuple[int, ...], groups: int, size: int, parameters: int, seed: int
) -> None:
    shape = (*leading, groups * size)
    rng = np.random.default_rng(seed)
    shapes = [shape, *[(groups * size,)] * parameters]
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    module = decomposed(GroupnormOp, shapes, ["decompose-groupnorm"], group_num=groups, eps=1e-2)
    rows = arrays[0].reshape(shape[0], -1, groups, size)
    expected = normalized(rows, (1, 3), 1e-2).reshape(shape)
    for parameter, combine in zip(arrays[1:], (np.multiply, np.add), strict=False):
        expected = combine(expected, parameter)
    assert_within_bound(module, arrays, expected)
