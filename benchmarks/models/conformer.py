"""Conformer (Gulati et al. 2020) over spectra: convolutions in one dimension and attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
    )


class Convolution(nn.Module):
    """Pointwise convolution and gate, depthwise convolution, batch norm, swish, pointwise."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Conv1d(width, 2 * width, 1)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.batch_norm, self.project = nn.BatchNorm1d(width), nn.Conv1d(width, width, 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = functional.glu(self.expand(self.norm(x).transpose(1, 2)), dim=1)
        y = functional.silu(self.batch_norm(self.depthwise(y)))
        return self.project(y).transpose(1, 2)


class Layer(nn.Module):
    """Half feed-forward, attention, convolution, half feed-forward, norm."""

    def __init__(self, width: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.first, self.second = _feed_forward(width), _feed_forward(width)
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.convolution = Convolution(width, kernel)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.first(x)
        y = self.attention_norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.convolution(x)
        return self.norm(x + 0.5 * self.second(x))


class Conformer(nn.Module):
    """(N, T, bands) to the log-probabilities of characters, (N, T / 4, characters)."""

    def __init__(self, bands: int, width: int, heads: int, depth: int, characters: int) -> None:
        super().__init__()
        self.subsample = nn.Sequential(
            nn.Conv2d(1, width // 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(width // 4, width // 4, 3, 2, 1)
        )
        self.project = nn.Linear(width // 4 * (bands // 4), width)
        self.layers = nn.Sequential(*(Layer(width, heads, 15) for _ in range(depth)))
        self.head = nn.Linear(width, characters)

    @override
    def forward(self, spectrum: Tensor) -> Tensor:
        x = torch.relu(self.subsample(spectrum.unsqueeze(1)))
        x = self.project(x.transpose(1, 2).flatten(2))
        return functional.log_softmax(self.head(self.layers(x)), -1)


def conformer(
    bands: int = 80, width: int = 144, heads: int = 4, depth: int = 4, characters: int = 29
) -> nn.Module:
    """A small Conformer encoder with a CTC head, ready to be exported."""
    return Conformer(bands, width, heads, depth, characters).eval()
