"""Moves: transposes and reshapes that cost no node, and those that do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.activation import ReluOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp
from hbir.ir.types import shape_of
from tests.unit.exporters.onnx.oracle import Net, numbers, operators, orders, seeds, shapes


@given(data=st.data(), seed=seeds)
@settings(max_examples=40)
def test_chains_of_moves(data: st.DataObject, seed: int) -> None:
    net = Net(numbers(data.draw(shapes(1, 4)), seed))
    value = net.inputs[0]
    for _ in range(data.draw(st.integers(1, 6))):
        shape = shape_of(value)
        kind = data.draw(st.sampled_from(["transpose", "reshape", "slice", "pad", "tile", "relu"]))
        if kind == "transpose":
            value = net.transposed(value, data.draw(orders(len(shape))))
        elif kind == "reshape":
            value = net.op(ReshapeOp, value, shape=reshaped(data, shape))
        elif kind == "slice":
            begin = [data.draw(st.integers(0, extent - 1)) for extent in shape]
            end = [data.draw(st.integers(b + 1, e)) for b, e in zip(begin, shape, strict=True)]
            step = [data.draw(st.integers(1, 2)) for _ in shape]
            value = net.op(SliceOp, value, begin=begin, end=end, step=step)
        elif kind == "pad":
            begin, end = ([data.draw(st.integers(0, 1)) for _ in shape] for _ in range(2))
            value = net.op(PadOp, value, begin=begin, end=end, padValue=data.draw(st.floats(-1, 1)))
        elif kind == "tile":
            value = net.op(TileOp, value, multiplies=[data.draw(st.integers(1, 2)) for _ in shape])
        else:
            value = net.op(ReluOp, value)
    net.check(value)


def reshaped(data: st.DataObject, shape: tuple[int, ...]) -> list[int]:
    """A shape of as many elements."""
    left, result = int(np.prod(shape)), list[int]()
    while left > 1:
        factor = data.draw(st.sampled_from([f for f in range(1, left + 1) if left % f == 0]))
        result.append(factor)
        left //= factor
        if len(result) == 4:
            return [*result, left]
    return result


@given(data=st.data(), seed=seeds)
@settings(max_examples=15)
def test_concatenations(data: st.DataObject, seed: int) -> None:
    shape = data.draw(shapes(1, 4))
    dim = data.draw(st.integers(0, len(shape) - 1))
    parts = [list(shape) for _ in range(3)]
    for part in parts:
        part[dim] = data.draw(st.integers(1, 3))
    order = data.draw(orders(len(shape)))
    arrays = [numbers([part[order.index(a)] for a in range(len(part))], seed) for part in parts[:2]]
    net = Net(*arrays)
    values = [net.transposed(value, order) for value in net.inputs]
    values.append(net.constant(numbers(parts[2], seed)))
    net.check(net.op(ConcatOp, *values, dim=dim))


def test_merging_pixels_keeps_channels_first() -> None:
    net = Net(numbers((1, 8, 4, 4), 0))
    x = net.op(ReluOp, net.transposed(net.inputs[0], (0, 2, 3, 1)))
    rows = net.op(ReluOp, net.op(ReshapeOp, x, shape=[1, 16, 8]))
    model = net.check(net.transposed(rows, (0, 2, 1)))
    assert operators(model) == ["Relu", "Reshape", "Relu"]
