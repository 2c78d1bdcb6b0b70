"""Pix2pix's generator (Isola et al. 2017) after ResNet blocks: instance norm, transposed
convolutions, padding by reflection."""

from torch import Tensor, nn
from typing_extensions import override


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """Two 3x3 convolutions with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            *_norm_relu(width),
            nn.Conv2d(width, width, 3, padding=1),
            nn.InstanceNorm2d(width),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def pix2pix(width: int = 64, blocks: int = 6) -> nn.Module:
    """Image to image, ready to be exported; the size is a multiple of 4."""
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        nn.Conv2d(3, width, 7),
        *_norm_relu(width),
        nn.Conv2d(width, 2 * width, 3, 2, 1),
        *_norm_relu(2 * width),
        nn.Conv2d(2 * width, 4 * width, 3, 2, 1),
        *_norm_relu(4 * width),
        *(Block(4 * width) for _ in range(blocks)),
        nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1),
        *_norm_relu(2 * width),
        nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1),
        *_norm_relu(width),
        nn.Conv2d(width, 3, 7, padding=3),
        nn.Tanh(),
    ).eval()
