"""PSPNet (Zhao et al. 2017): means over grids of 1, 2, 3 and 6 windows, which may overlap."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from benchmarks.models.layers import conv_bn

GRIDS = (1, 2, 3, 6)


class PSPNet(nn.Module):
    """A small dilated backbone at stride 8, the pyramid pooling module, logits at full size."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            conv_bn(3, width, stride=2),
            conv_bn(width, 2 * width, stride=2),
            conv_bn(2 * width, 4 * width, stride=2),
            conv_bn(4 * width, 4 * width, dilation=2),
        )
        self.grids = nn.ModuleList(
            [nn.Sequential(nn.AdaptiveAvgPool2d(g), conv_bn(4 * width, width, 1)) for g in GRIDS]
        )
        self.head = nn.Sequential(conv_bn(8 * width, 2 * width), nn.Conv2d(2 * width, classes, 1))

    @override
    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[2:]
        x = self.backbone(x)
        means = [
            functional.interpolate(grid(x), size=x.shape[2:], mode="bilinear", align_corners=True)
            for grid in self.grids
        ]
        y = self.head(torch.cat([x, *means], 1))
        return functional.interpolate(y, size=size, mode="bilinear", align_corners=True)


def pspnet(width: int = 32, classes: int = 21) -> nn.Module:
    """A PSPNet, ready to be exported."""
    return PSPNet(width, classes).eval()
