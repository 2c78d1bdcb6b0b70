"""U-Net (Ronneberger et al. 2015) with padded convolutions and batch norm."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import conv_bn


def _double(cin: int, cout: int) -> nn.Sequential:
    return nn.Sequential(conv_bn(cin, cout), conv_bn(cout, cout))


class UNet(nn.Module):
    """Down by max pools, up by transposed convolutions, joined at every size."""

    def __init__(self, width: int, depth: int, classes: int) -> None:
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            [_double(cin, cout) for cin, cout in zip([3, *widths], widths, strict=False)]
        )
        self.pool = nn.MaxPool2d(2)
        pairs = list(zip(widths[1:], widths, strict=False))[::-1]
        self.up = nn.ModuleList([nn.ConvTranspose2d(below, above, 2, 2) for below, above in pairs])
        self.join = nn.ModuleList([_double(below, above) for below, above in pairs])
        self.head = nn.Conv2d(width, classes, 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([skips.pop(), up(x)], 1))
        return self.head(x)


def unet(width: int = 64, depth: int = 4, classes: int = 21) -> nn.Module:
    """A U-Net, ready to be exported; the image must be a multiple of 2^depth."""
    return UNet(width, depth, classes).eval()
