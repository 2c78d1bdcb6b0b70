"""Static shapes, against the shapes that the kernels give."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.shapes import OperandError, check_shapes
from hbir.backend.isa.table import instruction
from hbir.kernels.table import execute


def operand(*shape: int, dtype: DType = DType.SI8) -> TensorDescriptor:
    return dense(Space.L1, 0, dtype, shape)


def zeros(descriptor: TensorDescriptor) -> np.ndarray[Any, Any]:
    return np.zeros(descriptor.shape, descriptor.dtype.numpy)


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADS = st.tuples(*[st.integers(-1, 3)] * 4)


@given(kernel=PAIRS, stride=PAIRS, dilation=PAIRS, spread=PAIRS, pad=PADS, groups=st.integers(1, 3))
def test_convolutions(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    spread: tuple[int, int],
    pad: tuple[int, int, int, int],
    groups: int,
) -> None:
    x = operand(2, 7, 8, 2 * groups)
    weights = operand(3 * groups, *kernel, 2)
    qpp = operand(3 * groups, 3, dtype=DType.SI32)
    row = instruction("conv2d")
    given_params = {
        "stride": stride,
        "dilation": dilation,
        "input_dilation": spread,
        "pad": pad,
        "group_num": groups,
    }
    params = row.decode(row.encode(given_params))
    arrays = [
        zeros(x),
        zeros(weights),
        np.tile(np.array([0, 1 << 14, 14], np.int32), (3 * groups, 1)),
    ]
    result = execute("bpu.conv2d", arrays, given_params)
    assume(result.size)
    check_shapes(row, [operand(*result.shape), None, x, weights, qpp, None], params)
    wrong = operand(*result.shape[:3], result.shape[3] + 1)
    with pytest.raises(OperandError, match="output has shape"):
        check_shapes(row, [wrong, None, x, weights, qpp, None], params)


@given(kernel=PAIRS, stride=PAIRS, pad=st.tuples(*[st.integers(0, 1)] * 4))
def test_pools(
    kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int, int, int]
) -> None:
    row = instruction("max_pool")
    given_params = {"kernel": kernel, "stride": stride, "pad": pad}
    x = operand(1, 6, 7, 4)
    result = execute("bpu.max_pool", [zeros(x)], given_params)
    check_shapes(row, [operand(*result.shape), x], row.decode(row.encode(given_params)))


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@given(x=SHAPES, y=SHAPES)
def test_broadcasts(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    row = instruction("max")
    try:
        result = np.broadcast_shapes(x, y)
    except ValueError:
        with pytest.raises(OperandError, match="don't broadcast"):
            check_shapes(row, [operand(*x), operand(*x), operand(*y)], {})
        return
    check_shapes(row, [operand(*result), operand(*x), operand(*y)], {})


@given(x=SHAPES, y=SHAPES)
def test_matrix_products(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    row = instruction("matmul")
    params = {"multiplier": 1 << 14, "shift": 14}
    decoded = row.decode(row.encode(params))
    try:
        np.broadcast_shapes(x[:-2], y[:-2])
        fits = min(len(x), len(y)) >= 2 and x[-1] == y[-1]
    except ValueError:
        fits = False
    if not fits:
        with pytest.raises(OperandError, match=r"don't broadcast|can't be multiplied"):
            check_shapes(row, [operand(1), operand(*x), operand(*y)], decoded)
        return
    result = execute("bpu.matmul", [np.zeros(x, np.int8), np.zeros(y, np.int8)], params)
    check_shapes(row, [operand(*result.shape), operand(*x), operand(*y)], decoded)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    keep=st.booleans(),
    data=st.data(),
)
def test_reductions(shape: tuple[int, ...], keep: bool, data: st.DataObject) -> None:
    axes = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True)
    dims = tuple(data.draw(axes))
    row = instruction("reduce_mean")
    params = {"dims": dims, "keep_dim": keep, "multiplier": 1 << 14, "shift": 14}
    result = execute("bpu.reduce_mean", [np.zeros(shape, np.int8)], params)
    decoded = row.decode(row.encode(params))
    check_shapes(row, [operand(*result.shape), operand(*shape)], decoded)


@pytest.mark.parametrize(
    ("mnemonic", "operands", "params", "message"),
    [
        ("load", (operand(2), operand(2, dtype=DType.UI8)), {}, "moves UI8 to SI8"),
        ("permute", (operand(2, 3), operand(3, 2)), {"dims": (0, 0)}, "don't permute 2 axes"),
        ("max_pool", (operand(1, 2), operand(1, 2)), {"kernel": (1, 1)}, "expected 4 axes"),
        (
            "max_pool",
            (operand(1, 1, 1, 1), operand(1, 4, 4, 1)),
            {"kernel": (5, 1)},
            "a window of 5 is larger than the padded input, 4",
        ),
        (
            "max_pool",
            (operand(1, 1, 1, 1), operand(1, 4, 4, 1)),
            {"kernel": (1, 1), "stride": (1 << 19, 1 << 19), "pad": (1 << 19,) * 4},
            "the padded input has over",
        ),
        (
            "max_pool",
            (operand(1, 1, 1, 1), operand(1, 4, 4, 1)),
            {"kernel": (1 << 10, 1 << 10)},
            "window 1024x1024 has over",
        ),
        (
            "conv2d",
            (operand(1, 1, 1, 4), None, operand(1, 1, 1, 4), operand(4, 1, 1, 4), operand(4, 3)),
            {"group_num": 3},
            "3 groups, 4 input channels",
        ),
    ],
)
def test_what_does_not_fit_says_so(
    mnemonic: str,
    operands: tuple[TensorDescriptor | None, ...],
    params: dict[str, Any],
    message: str,
) -> None:
    row = instruction(mnemonic)
    with pytest.raises(OperandError, match=message):
        check_shapes(row, operands, row.decode(row.encode(params)))
