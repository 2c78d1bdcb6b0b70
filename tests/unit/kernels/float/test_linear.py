"""Matrix products against onnxruntime, with NumPy's broadcasting of leading dimensions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.hbir.linear import LinearOp, MatmulOp
from tests.unit.kernels.float.onnx_oracle import assert_close, evaluate, run_onnx

extents = st.integers(1, 6)


@given(st.lists(extents, max_size=3), extents, extents, st.booleans(), st.integers(0, 2**32 - 1))
def test_linear(
    leading: list[int], in_channels: int, out_channels: int, has_bias: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(*leading, in_channels)).astype(np.float32)
    w = rng.normal(size=(in_channels, out_channels)).astype(np.float32)
    bias = [rng.normal(size=out_channels).astype(np.float32)] if has_bias else []
    rows = x.reshape(-1, in_channels)
    expected = run_onnx("Gemm", [rows, w, *bias]).reshape(*leading, out_channels)
    assert_close(evaluate(LinearOp, [x, w, *bias], {}), expected)


@st.composite
def broadcast_leading(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Two lists of leading dimensions that broadcast."""
    full = draw(st.lists(extents, max_size=3))
    sides: list[list[int]] = []
    for _ in range(2):
        kept = full[draw(st.integers(0, len(full))) :]
        sides.append([1 if draw(st.booleans()) else size for size in kept])
    return sides[0], sides[1]


@given(broadcast_leading(), st.tuples(extents, extents, extents), st.integers(0, 2**32 - 1))
def test_matmul(
    leading: tuple[list[int], list[int]], sizes: tuple[int, int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    lhs = rng.normal(size=(*leading[0], rows, inner)).astype(np.float32)
    rhs = rng.normal(size=(*leading[1], inner, columns)).astype(np.float32)
    assert_close(evaluate(MatmulOp, [lhs, rhs], {}), run_onnx("MatMul", [lhs, rhs]))
