"""Activation functions, with parameters of all kinds."""

from typing import Any

import pytest

from hbir.dialects.hbir import activation
from hbir.ir.op import TensorOp
from tests.unit.exporters.onnx.oracle import Net, numbers, operators

CASES: list[tuple[type[TensorOp], dict[str, Any]]] = [
    (activation.ReluOp, {}),
    (activation.ClipOp, {"min": 0.0, "max": 6.0}),
    (activation.ClipOp, {"min": float("-inf"), "max": 0.5}),
    (activation.ClipOp, {"min": -0.5, "max": float("inf")}),
    (activation.LeakyReluOp, {"slop": 0.2}),
    (activation.SigmoidOp, {}),
    (activation.TanhOp, {}),
    (activation.HardSigmoidOp, {"alpha": 0.3, "beta": 0.4}),
    (activation.HardSwishOp, {}),
    (activation.SwishOp, {}),
    (activation.ExpOp, {}),
    (activation.ReciprocalOp, {}),
    (activation.GeluOp, {"approximate": "none"}),
    (activation.GeluOp, {"approximate": "tanh"}),
    (activation.SoftplusOp, {}),
    (activation.SoftplusOp, {"beta": 2.0}),
    (activation.SoftplusOp, {"beta": 0.5, "threshold": 1.0}),
    (activation.MishOp, {}),
    (activation.EluOp, {"alpha": 1.5}),
    (activation.SoftsignOp, {}),
    (activation.ThresholdedReluOp, {"alpha": 0.7}),
    (activation.ShrinkOp, {"lambd": 0.6, "bias": 0.2}),
]


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_activations(kind: type[TensorOp], parameters: dict[str, Any]) -> None:
    net = Net(numbers((2, 3, 4, 5), 1, 3.0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.transposed(net.op(kind, x, **parameters), (0, 3, 1, 2))
    model = net.check(y, tolerance=1e-4)
    assert "Transpose" not in operators(model)


@pytest.mark.parametrize("slope", [(5,), (1,), (4, 1), (3, 4, 5)])
def test_slopes_come_into_the_layout_of_x(slope: tuple[int, ...]) -> None:
    net = Net(numbers((2, 5, 3, 4), 2))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.op(activation.PreluOp, x, net.constant(numbers(slope, 3)))
    model = net.check(net.transposed(y, (0, 3, 1, 2)))
    assert operators(model) == ["PRelu"]
