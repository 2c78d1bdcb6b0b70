"""HRNet (Wang et al. 2020): branches at several resolutions, exchanged after every block."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from benchmarks.models.layers import conv_bn


class Exchange(nn.Module):
    """Each branch becomes the sum of all: strided convolutions down, nearest neighbours up."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            [
                nn.ModuleList([self._path(widths, source, to) for source in range(len(widths))])
                for to in range(len(widths))
            ]
        )

    def _path(self, widths: list[int], source: int, to: int) -> nn.Module:
        if source == to:
            return nn.Identity()
        if source > to:
            return nn.Sequential(
                conv_bn(widths[source], widths[to], 1, activation=None),
                nn.Upsample(scale_factor=2 ** (source - to), mode="nearest"),
            )
        steps = [conv_bn(widths[source], widths[source], stride=2) for _ in range(to - source - 1)]
        return nn.Sequential(*steps, conv_bn(widths[source], widths[to], stride=2, activation=None))

    @override
    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        results: list[Tensor] = []
        for paths in self.paths:
            parts = [path(x) for path, x in zip(children(paths), branches, strict=True)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            results.append(torch.relu(total))
        return results


def children(module: nn.Module) -> list[nn.Module]:
    """The modules of a nn.ModuleList."""
    return list(module.children())


class HRNet(nn.Module):
    """A stem, then two, three and four branches; all joined at the highest resolution."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        widths = [width << level for level in range(4)]
        self.stem = nn.Sequential(conv_bn(3, width, stride=2), conv_bn(width, width, stride=2))
        self.blocks, self.exchanges = nn.ModuleList(), nn.ModuleList()
        self.down = nn.ModuleList([conv_bn(a, b, stride=2) for a, b in pairwise(widths)])
        for count in (2, 3, 4):
            self.blocks.append(nn.ModuleList([conv_bn(w, w) for w in widths[:count]]))
            self.exchanges.append(Exchange(widths[:count]))
        self.head = nn.Conv2d(sum(widths), classes, 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        branches = [self.stem(x)]
        for down, blocks, exchange in zip(self.down, self.blocks, self.exchanges, strict=True):
            branches.append(down(branches[-1]))
            parts = [y + block(y) for block, y in zip(children(blocks), branches, strict=True)]
            branches = exchange(parts)
        size = branches[0].shape[2:]
        whole = [
            functional.interpolate(y, size=size, mode="bilinear", align_corners=False)
            for y in branches
        ]
        return self.head(torch.cat(whole, 1))


def hrnet(width: int = 18, classes: int = 17) -> nn.Module:
    """A small HRNet (W18 by default), ready to be exported: one heat map per joint."""
    return HRNet(width, classes).eval()
