"""Every function of one element, in any layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir import unary
from hbir.dialects.hbir.base import UnaryOp
from tests.unit.exporters.onnx.oracle import Net, numbers, operators, orders, seeds, shapes

OPS = [
    kind
    for kind in vars(unary).values()
    if isinstance(kind, type) and issubclass(kind, UnaryOp) and kind is not UnaryOp
]


@pytest.mark.parametrize("kind", OPS, ids=lambda kind: kind.name)
@given(data=st.data(), seed=seeds)
@settings(max_examples=3)
def test_functions(kind: type[UnaryOp], data: st.DataObject, seed: int) -> None:
    shape = data.draw(shapes())
    least = 1.01 if kind.name == "hbir.acosh" else 0.01
    net = Net(np.asarray(np.abs(numbers(shape, seed)) % 0.9 + least, np.float32))
    y = net.op(kind, net.transposed(net.inputs[0], data.draw(orders(len(shape)))))
    net.check(net.transposed(y, data.draw(orders(len(shape)))), tolerance=1e-4)


@pytest.mark.parametrize("decimals", [0, 1, 3, -1])
def test_rounding(decimals: int) -> None:
    net = Net(numbers((50,), 0, 30.0))
    net.check(net.op(unary.RoundOp, net.inputs[0], decimals=decimals))


def test_transposes_that_meet_leave_no_node() -> None:
    net = Net(numbers((2, 3, 4, 5), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    model = net.check(net.transposed(net.op(unary.AbsOp, x), (0, 3, 1, 2)))
    assert operators(model) == ["Abs"]
