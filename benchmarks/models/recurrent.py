"""A sequence classifier over features, one vector per step: LSTM or GRU layers."""

from torch import Tensor, nn
from typing_extensions import override


class Recurrent(nn.Module):
    """(N, T, features) to the logits of the last step."""

    def __init__(self, kind: str, features: int, hidden: int, layers: int, classes: int) -> None:
        super().__init__()
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[kind]
        self.layers = layer(features, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    @override
    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.layers(x)
        return self.head(steps[:, -1])


def recurrent(
    kind: str, features: int = 40, hidden: int = 128, layers: int = 2, classes: int = 35
) -> nn.Module:
    """A keyword spotter; kind: lstm or gru. Ready to be exported."""
    return Recurrent(kind, features, hidden, layers, classes).eval()
