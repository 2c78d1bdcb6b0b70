"""Element-wise ops of two tensors: broadcasting between operands of any layout and rank."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir import elementwise
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, ModOp
from tests.unit.exporters.onnx.oracle import Net, extents, numbers, operators, orders, seeds

OPS = [
    kind
    for kind in vars(elementwise).values()
    if isinstance(kind, type) and issubclass(kind, BinaryOp) and kind is not BinaryOp
]


@pytest.mark.parametrize("kind", OPS, ids=lambda kind: kind.name)
@given(data=st.data(), seed=seeds)
@settings(max_examples=5)
def test_operands_of_any_rank_and_layout(
    kind: type[BinaryOp], data: st.DataObject, seed: int
) -> None:
    shape = tuple(data.draw(st.lists(extents, max_size=4)))
    drop = data.draw(st.integers(0, len(shape)))
    other = tuple(1 if data.draw(st.booleans()) else extent for extent in shape[drop:])
    order = data.draw(orders(len(shape)))
    other_order = data.draw(orders(len(other)))
    # Given so that the transposes below bring them to `shape` and `other`.
    first = np.abs(numbers([shape[order.index(a)] for a in range(len(shape))], seed)) + 0.5
    second = numbers([other[other_order.index(a)] for a in range(len(other))], seed + 1)
    second = np.asarray(np.where(np.abs(second) < 0.1, 1, second), np.float32)
    constant = data.draw(st.booleans())
    net = Net(np.asarray(first, np.float32), *([] if constant else [second]))
    lhs = net.transposed(net.inputs[0], order)
    value = net.constant(second) if constant else net.inputs[1]
    rhs = net.transposed(value, other_order)
    operands = (lhs, rhs) if data.draw(st.booleans()) else (rhs, lhs)
    if kind.name == "hbir.pow":
        operands = (lhs, rhs)
    net.check(net.op(kind, *operands), tolerance=1e-4)


def test_a_bias_per_channel_needs_no_transpose() -> None:
    net = Net(numbers((1, 8, 5, 5), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.op(AddOp, x, net.constant(numbers((8,), 1)))
    assert operators(net.check(net.transposed(y, (0, 3, 1, 2)))) == ["Add"]


def test_a_remainder_with_the_divisors_sign() -> None:
    net = Net(numbers((40,), 0, 5.0), numbers((40,), 1, 2.0))
    net.check(net.op(ModOp, *net.inputs, same_sign_as_dividend=False))
