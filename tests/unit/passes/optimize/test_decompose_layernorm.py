"""decompose-layernorm within its declared bound of float64."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.layernorm import LayernormOp
from tests.unit.passes.optimize.decomposed import assert_within_bound, decomposed, normalized


@settings(max_examples=40, deadline=None)
@given(
    hnp.array_shapes(min_dims=1, max_dims=4, max_side=9),
    st.data(),
    st.integers(0, 2),
    st.integers(0, 999),
)
def test_decompose_layernorm(
    shape: tuple[int, ...], data: st.DataObject, parameters: int, seed: int
) -> None:
    rank = len(shape)
    axes = data.draw(st.sets(st.integers(0, rank - 1), min_size=1))
    dims = tuple(sorted(axes))
    extents = tuple(shape[axis] for axis in dims)
    rng = np.random.default_rng(seed)
    shapes = [shape, *[extents] * parameters]
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    module = decomposed(LayernormOp, shapes, ["decompose-layernorm"], dims=dims, eps=1e-2)
    left = [op for op in module.functions[0].operations if isinstance(op, LayernormOp)]
    (norm,) = left
    assert not norm.affine
    assert norm.params()["dims"] in ((-1,), (rank - 1,))
    expected = normalized(arrays[0], dims, 1e-2)
    spread = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    for parameter, combine in zip(arrays[1:], (np.multiply, np.add), strict=False):
        expected = combine(expected, parameter.reshape(spread))
    assert_within_bound(module, arrays, expected)
