"""EfficientDet's neck and heads (Tan et al. 2020): BiFPN layers over a small backbone."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from benchmarks.models.layers import conv_bn

LEVELS = 4


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        conv_bn(width, width, 1, activation=None),
    )


class BiFpn(nn.Module):
    """Down the pyramid and up again, inputs weighted by learnt, normalised weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down_weights = nn.Parameter(torch.ones(LEVELS - 1, 2))
        self.up_weights = nn.Parameter(torch.ones(LEVELS - 1, 3))
        self.down = nn.ModuleList([_separable(width) for _ in range(LEVELS - 1)])
        self.up = nn.ModuleList([_separable(width) for _ in range(LEVELS - 1)])
        self.activation = nn.SiLU()

    def _mixed(self, parts: list[Tensor], weights: Tensor) -> Tensor:
        weights = torch.relu(weights)
        weights = weights / (weights.sum() + 1e-4)
        total = parts[0] * weights[0]
        for index, part in enumerate(parts[1:], start=1):
            total = total + part * weights[index]
        return self.activation(total)

    @override
    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        inner = [maps[-1]]
        for level in range(LEVELS - 2, -1, -1):
            above = functional.interpolate(inner[0], scale_factor=2.0, mode="nearest")
            mixed = self._mixed([maps[level], above], self.down_weights[level])
            inner.insert(0, self.down[level](mixed))
        results = [inner[0]]
        for level in range(1, LEVELS):
            below = functional.max_pool2d(results[-1], 3, 2, 1)
            parts = [maps[level], inner[level], below]
            mixed = self._mixed(parts, self.up_weights[level - 1])
            results.append(self.up[level - 1](mixed))
        return results


class EfficientDet(nn.Module):
    """Returns {"classes": a map per level, "boxes": a map per level}."""

    def __init__(self, width: int, layers: int, anchors: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_bn(3, width // 2, stride=2, activation=nn.SiLU),
            conv_bn(width // 2, width, stride=2, activation=nn.SiLU),
        )
        self.stages = nn.ModuleList(
            [conv_bn(width, width, stride=2, activation=nn.SiLU) for _ in range(LEVELS)]
        )
        self.fpn = nn.Sequential(*(BiFpn(width) for _ in range(layers)))
        self.classes = nn.Sequential(
            _separable(width), nn.SiLU(), nn.Conv2d(width, anchors * classes, 3, padding=1)
        )
        self.boxes = nn.Sequential(
            _separable(width), nn.SiLU(), nn.Conv2d(width, anchors * 4, 3, padding=1)
        )

    @override
    def forward(self, image: Tensor) -> dict[str, list[Tensor]]:
        x, maps = self.stem(image), list[Tensor]()
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        maps = self.fpn(maps)
        return {"classes": [self.classes(x) for x in maps], "boxes": [self.boxes(x) for x in maps]}


def efficientdet(
    width: int = 64, layers: int = 3, anchors: int = 9, classes: int = 90
) -> nn.Module:
    """A detector of D0's width, ready to be exported; the image is a multiple of 64."""
    return EfficientDet(width, layers, anchors, classes).eval()
