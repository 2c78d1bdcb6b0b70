"""PoolFormer (Yu et al. 2022): average pools where transformers have attention, group norm."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import classifier

S12 = ((64, 128, 320, 512), (2, 2, 6, 2))


class Block(nn.Module):
    """A pool minus its input, and an MLP of 1x1 convolutions, scaled and added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(1, width), nn.GroupNorm(1, width)
        self.pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.mlp = nn.Sequential(
            nn.Conv2d(width, 4 * width, 1), nn.GELU(), nn.Conv2d(4 * width, width, 1)
        )
        self.scale1 = nn.Parameter(torch.full((width, 1, 1), 0.1))
        self.scale2 = nn.Parameter(torch.full((width, 1, 1), 0.1))

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.scale1 * (self.pool(y) - y)
        return x + self.scale2 * self.mlp(self.norm2(x))


def poolformer(
    widths: Sequence[int] = S12[0], depths: Sequence[int] = S12[1], classes: int = 1000
) -> nn.Module:
    """PoolFormer-S12 by default, ready to be exported."""
    layers: list[nn.Module] = []
    cin = 3
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        kernel, stride, pad = (7, 4, 2) if stage == 0 else (3, 2, 1)
        layers.append(nn.Conv2d(cin, width, kernel, stride, pad))
        layers += [Block(width) for _ in range(depth)]
        cin = width
    return nn.Sequential(*layers, nn.GroupNorm(1, cin), classifier(cin, classes)).eval()
