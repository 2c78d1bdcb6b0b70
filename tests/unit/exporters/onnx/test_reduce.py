"""Reductions over any axes in any layout, and running sums."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.reduce import (
    CumsumOp,
    ReduceMaxOp,
    ReduceMeanOp,
    ReduceMinOp,
    ReduceOp,
    ReduceSumOp,
)
from tests.unit.exporters.onnx.oracle import Net, numbers, operators, orders, seeds, shapes

OPS = [ReduceMeanOp, ReduceSumOp, ReduceMaxOp, ReduceMinOp]


@pytest.mark.parametrize("kind", OPS)
@given(data=st.data(), kept=st.booleans(), seed=seeds)
@settings(max_examples=10)
def test_reductions(kind: type[ReduceOp], data: st.DataObject, kept: bool, seed: int) -> None:
    shape = data.draw(shapes(1, 4))
    axes = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True)
    net = Net(numbers(shape, seed))
    x = net.transposed(net.inputs[0], data.draw(orders(len(shape))))
    net.check(net.op(kind, x, dims=data.draw(axes), keepDim=kept))


def test_the_mean_of_an_image() -> None:
    net = Net(numbers((1, 3, 4, 4), 0))
    x = net.op(ReduceMeanOp, net.transposed(net.inputs[0], (0, 2, 3, 1)), dims=[1, 2])
    assert operators(net.check(net.transposed(x, (0, 3, 1, 2)))) == ["GlobalAveragePool"]


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("reverse", [True, False])
def test_running_sums(exclusive: bool, reverse: bool) -> None:
    net = Net(numbers((2, 3, 4), 0))
    x = net.transposed(net.inputs[0], (2, 0, 1))
    net.check(net.op(CumsumOp, x, axis=1, exclusive=exclusive, reverse=reverse))
