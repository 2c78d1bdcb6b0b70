"""DeepLabV3+ (Chen et al. 2018): dilated convolutions side by side, and a decoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from benchmarks.models.layers import conv_bn

RATES = (6, 12, 18)


class Pyramid(nn.Module):
    """Spatial pyramid: 1x1, dilated 3x3 at three rates, and the mean of the image."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [conv_bn(cin, cout, 1), *(conv_bn(cin, cout, dilation=rate) for rate in RATES)]
        )
        self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(cin, cout, 1), nn.ReLU())
        self.project = conv_bn(5 * cout, cout, 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        mean = functional.interpolate(
            self.mean(x), size=x.shape[2:], mode="bilinear", align_corners=False
        )
        return self.project(torch.cat([*(branch(x) for branch in self.branches), mean], 1))


class DeepLab(nn.Module):
    """A small backbone at strides 4 and 16, the pyramid, and a decoder at stride 4."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.low = nn.Sequential(conv_bn(3, width, stride=2), conv_bn(width, 2 * width, stride=2))
        self.high = nn.Sequential(
            conv_bn(2 * width, 4 * width, stride=2),
            conv_bn(4 * width, 8 * width, stride=2),
            conv_bn(8 * width, 8 * width, dilation=2),
        )
        self.pyramid = Pyramid(8 * width, 4 * width)
        self.reduce = conv_bn(2 * width, width, 1)
        self.decoder = nn.Sequential(
            conv_bn(5 * width, 4 * width), nn.Conv2d(4 * width, classes, 1)
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        low = self.low(x)
        y = self.pyramid(self.high(low))
        y = functional.interpolate(y, size=low.shape[2:], mode="bilinear", align_corners=False)
        y = self.decoder(torch.cat([y, self.reduce(low)], 1))
        return functional.interpolate(y, scale_factor=4, mode="bilinear", align_corners=False)


def deeplab(width: int = 32, classes: int = 21) -> nn.Module:
    """A DeepLabV3+, ready to be exported."""
    return DeepLab(width, classes).eval()
