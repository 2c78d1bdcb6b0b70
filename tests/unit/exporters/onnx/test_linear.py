"""Matrix products of all ranks."""

import pytest

from hbir.dialects.hbir.linear import LinearOp, MatmulOp
from tests.unit.exporters.onnx.oracle import Net, numbers, operators


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 3, 4)])
def test_linear(leading: tuple[int, ...], bias: bool) -> None:
    net = Net(numbers((*leading, 5), 0))
    parts = [net.constant(numbers((5, 7), 1)), *([net.constant(numbers((7,), 2))] * bias)]
    model = net.check(net.op(LinearOp, net.inputs[0], *parts))
    assert (operators(model) == ["Gemm"]) == (len(leading) == 1)


@pytest.mark.parametrize("scale", [1.0, 0.125])
def test_matmul(scale: float) -> None:
    net = Net(numbers((2, 3, 4, 5), 0), numbers((2, 3, 6, 5), 1))
    rhs = net.transposed(net.inputs[1], (0, 1, 3, 2))
    net.check(net.op(MatmulOp, net.inputs[0], rhs, scale=scale))
