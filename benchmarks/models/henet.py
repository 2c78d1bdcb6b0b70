"""HENet (Hybrid Efficient Network), Horizon's backbone for the J6.

Published: depths, widths, MLP ratios, block names, GELU, layer scale, space-to-depth downsampling,
the 1024-channel mix before the classifier, and that a DWCB is a 3x3 depthwise convolution followed
by two pointwise ones (Horizon's HENet article and toolchain slides; TinyE's table from its model
card). Not published there, and our reading: that a GroupDWCB's 3x3 has groups of 64 channels or,
where the width has no such divisor, of 48; that an AltDWCB alternates 3x3 and 5x5 depthwise
kernels; and a stem of two 3x3 convolutions of stride 2. Measurements of HENet are therefore
compared with, and never fitted to.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from typing_extensions import override

GROUP_WIDTHS = (64, 48)


@dataclass(frozen=True)
class Variant:
    """Stages of a HENet: blocks, widths and block kinds."""

    depth: tuple[int, ...]
    width: tuple[int, ...]
    blocks: tuple[str, ...]


VARIANTS = {
    "TinyE": Variant((3, 3, 8, 6), (48, 96, 192, 384), ("DWCB", "GroupDWCB", "AltDWCB", "DWCB")),
    "TinyM": Variant(
        (4, 3, 8, 6), (64, 128, 192, 384), ("GroupDWCB", "GroupDWCB", "AltDWCB", "DWCB")
    ),
}
MLP_RATIOS = (2, 2, 2, 3)
MIX_CHANNELS = 1024


class Block(nn.Module):
    """Spatial 3x3 (or 5x5) convolution in `groups`, two pointwise ones, layer scale, residual."""

    def __init__(self, width: int, kernel: int, groups: int, ratio: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width * ratio, 1),
            nn.GELU(),
            nn.Conv2d(width * ratio, width, 1),
        )
        self.scale = nn.Parameter(torch.full((1, width, 1, 1), 1e-5))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.body(x)


def block(kind: str, width: int, number: int, ratio: int) -> Block:
    """The `number`-th block of a stage of `kind`."""
    if kind == "GroupDWCB":
        per_group = next(n for n in GROUP_WIDTHS if width % n == 0)
        return Block(width, 3, width // per_group, ratio)
    kernel = 5 if kind == "AltDWCB" and number % 2 else 3
    return Block(width, kernel, width, ratio)


class SpaceToDepth(nn.Module):
    """2x2 pixels become four times the channels, then a pointwise convolution."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Conv2d(4 * cin, cout, 1, bias=False), nn.BatchNorm2d(cout))

    @override
    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4)
        return self.project(x.reshape(n, 4 * c, h // 2, w // 2))


def _stem(cout: int) -> list[nn.Module]:
    half = math.ceil(cout / 2)
    return [
        nn.Conv2d(3, half, 3, 2, 1, bias=False),
        nn.BatchNorm2d(half),
        nn.GELU(),
        nn.Conv2d(half, cout, 3, 2, 1, bias=False),
        nn.BatchNorm2d(cout),
    ]


def henet(name: str, classes: int = 1000) -> nn.Module:
    """HENet `TinyE` or `TinyM`, ready to be exported."""
    variant = VARIANTS[name]
    layers = _stem(variant.width[0])
    for stage, (depth, width) in enumerate(zip(variant.depth, variant.width, strict=True)):
        kind, ratio = variant.blocks[stage], MLP_RATIOS[stage]
        layers += [block(kind, width, number, ratio) for number in range(depth)]
        if stage + 1 < len(variant.width):
            layers.append(SpaceToDepth(width, variant.width[stage + 1]))
    return nn.Sequential(
        *layers,
        nn.Conv2d(variant.width[-1], MIX_CHANNELS, 1, bias=False),
        nn.BatchNorm2d(MIX_CHANNELS),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(MIX_CHANNELS, classes),
    ).eval()
