"""Recurrent layers, both ways in time."""

from typing import Any

import pytest

from hbir.dialects.hbir.recurrent import GruOp, LstmOp, RecurrentOp, RnnOp
from tests.unit.exporters.onnx.oracle import Net, numbers

STEPS, BATCH, INPUTS, HIDDEN = 4, 2, 3, 5

CASES: list[tuple[type[RecurrentOp], int, int, dict[str, Any]]] = [
    (LstmOp, 1, 2, {}),
    (GruOp, 2, 1, {"linearBeforeReset": True}),
    (GruOp, 2, 1, {"linearBeforeReset": False}),
    (RnnOp, 1, 1, {"activation": "tanh"}),
    (RnnOp, 1, 1, {"activation": "relu"}),
]


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize(("kind", "biases", "states", "more"), CASES)
def test_layers(
    kind: type[RecurrentOp], biases: int, states: int, more: dict[str, Any], reverse: bool
) -> None:
    columns = kind.GATES * HIDDEN
    net = Net(
        numbers((STEPS, BATCH, INPUTS), 0),
        *(numbers((BATCH, HIDDEN), 9 + i) for i in range(states)),
    )
    shapes = [(INPUTS, columns), (HIDDEN, columns), *[(columns,)] * biases]
    weights = [net.constant(numbers(shape, 1 + i)) for i, shape in enumerate(shapes)]
    x, *given = net.inputs
    net.check(net.op(kind, x, *weights, *given, reverse=reverse, **more))
