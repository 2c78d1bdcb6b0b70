"""Batch norm and softmax along any axis."""

import pytest

from hbir.dialects.hbir.norm import BatchnormOp, LogSoftmaxOp, SoftmaxOp
from tests.unit.exporters.onnx.oracle import Net, numbers, operators


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (2, 3, 4, 5)])
def test_batch_norm(shape: tuple[int, ...]) -> None:
    net = Net(numbers(shape, 0))
    parts = [net.constant(abs(numbers((5,), seed)) + 0.1) for seed in range(1, 5)]
    net.check(net.op(BatchnormOp, net.inputs[0], *parts, eps=1e-3))


@pytest.mark.parametrize("kind", [SoftmaxOp, LogSoftmaxOp])
@pytest.mark.parametrize("dim", [-1, 1, 0])
def test_softmax(kind: type[SoftmaxOp], dim: int) -> None:
    net = Net(numbers((2, 3, 4, 5), 0, 4.0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.op(kind, x, dim=dim)
    assert len(operators(net.check(net.transposed(y, (0, 3, 1, 2))))) == 1
