"""DenseNet (Huang et al. 2017, table 1): norm, ReLU, convolution, and everything concatenated."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import classifier

DEPTHS = {121: (6, 12, 24, 16)}


def _norm_conv(cin: int, cout: int, kernel: int) -> list[nn.Module]:
    conv = nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False)
    return [nn.BatchNorm2d(cin), nn.ReLU(), conv]


class Dense(nn.Module):
    """A bottleneck layer whose result is joined to its input."""

    def __init__(self, cin: int, growth: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_norm_conv(cin, 4 * growth, 1), *_norm_conv(4 * growth, growth, 3)
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.body(x)], 1)


def densenet(
    depths: Sequence[int] = DEPTHS[121], growth: int = 32, classes: int = 1000
) -> nn.Module:
    """A DenseNet of these layers per stage, ready to be exported."""
    channels = 2 * growth
    layers: list[nn.Module] = [
        nn.Conv2d(3, channels, 7, 2, 3, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    for stage, depth in enumerate(depths):
        for _ in range(depth):
            layers.append(Dense(channels, growth))
            channels += growth
        if stage < len(depths) - 1:
            layers += [*_norm_conv(channels, channels // 2, 1), nn.AvgPool2d(2)]
            channels //= 2
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), classifier(channels, classes)]
    return nn.Sequential(*layers).eval()
