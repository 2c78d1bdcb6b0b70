"""ConvNeXt (Liu et al. 2022): 7x7 depthwise convolutions, layer norm, GELU, layer scale."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import LayerNorm2d

TINY = ((96, 192, 384, 768), (3, 3, 9, 3))


class Block(nn.Module):
    """Depthwise 7x7, then a norm and two linear layers on the channel-last tensor."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.body = nn.Sequential(
            nn.LayerNorm(width, 1e-6),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
        )
        self.scale = nn.Parameter(torch.full((width,), 1e-1))

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.body(self.depthwise(x).permute(0, 2, 3, 1)) * self.scale
        return x + y.permute(0, 3, 1, 2)


def convnext(
    widths: Sequence[int] = TINY[0], depths: Sequence[int] = TINY[1], classes: int = 1000
) -> nn.Module:
    """ConvNeXt of these widths and depths per stage, ready to be exported."""
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 4), LayerNorm2d(widths[0], 1e-6)]
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        if stage > 0:
            before = widths[stage - 1]
            layers += [LayerNorm2d(before, 1e-6), nn.Conv2d(before, width, 2, 2)]
        layers += [Block(width) for _ in range(depth)]
    width = widths[-1]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(width, 1e-6)]
    return nn.Sequential(*layers, *head, nn.Linear(width, classes)).eval()
