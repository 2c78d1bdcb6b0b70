"""Recurrent layers against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import pytest
from torch import Tensor, nn

from tests.unit.frontends.torch.oracle import check, operations, random

LAYERS = [
    nn.LSTM(3, 4), nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), nn.LSTM(3, 4, bias=False),
    nn.GRU(3, 4, batch_first=True), nn.GRU(3, 4, 2, bidirectional=True), nn.RNN(3, 4),
    nn.RNN(3, 4, nonlinearity="relu", bidirectional=True),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer_and_its_last_states(layer: nn.Module) -> None:
    check(layer, random(3, 2, 3))


def test_given_states() -> None:
    exported = check(nn.GRU(3, 4), random(3, 2, 3), random(1, 2, 4, seed=1))
    assert "hbir.gru" in operations(exported)
    states: tuple[Tensor, Tensor] = random(1, 2, 4, seed=1), random(1, 2, 4, seed=2)
    check(nn.LSTM(3, 4), random(3, 2, 3), states)
