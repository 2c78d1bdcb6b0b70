"""A YOLO-like detector: CSP blocks (Wang et al. 2020), spatial pyramid pools, a path network."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import conv_bn


def _conv(cin: int, cout: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return conv_bn(cin, cout, kernel, stride, activation=nn.SiLU)


class Csp(nn.Module):
    """Half of the channels pass through bottlenecks, whose every result is joined."""

    def __init__(self, cin: int, cout: int, depth: int, residual: bool = True) -> None:
        super().__init__()
        half = cout // 2
        self.first, self.residual = _conv(cin, cout, 1), residual
        self.blocks = nn.ModuleList(
            [nn.Sequential(_conv(half, half), _conv(half, half)) for _ in range(depth)]
        )
        self.last = _conv((2 + depth) * half, cout, 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.first(x).chunk(2, 1))
        for block in self.blocks:
            y = block(parts[-1])
            parts.append(y + parts[-1] if self.residual else y)
        return self.last(torch.cat(parts, 1))


class Sppf(nn.Module):
    """Three max pools one after the other, joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = _conv(width, width // 2, 1), _conv(2 * width, width, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)

    @override
    def forward(self, x: Tensor) -> Tensor:
        parts = [self.first(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.last(torch.cat(parts, 1))


class Yolo(nn.Module):
    """Returns the raw maps of three levels, (N, 4 · bins + classes, H, W) each."""

    def __init__(self, width: int, depth: int, classes: int, bins: int = 16) -> None:
        super().__init__()
        w = [width << level for level in range(5)]
        self.stem = nn.Sequential(_conv(3, w[0], stride=2), _conv(w[0], w[1], stride=2))
        self.stage2 = Csp(w[1], w[1], depth)
        self.stage3 = nn.Sequential(_conv(w[1], w[2], stride=2), Csp(w[2], w[2], 2 * depth))
        self.stage4 = nn.Sequential(_conv(w[2], w[3], stride=2), Csp(w[3], w[3], 2 * depth))
        self.stage5 = nn.Sequential(_conv(w[3], w[4], stride=2), Csp(w[4], w[4], depth), Sppf(w[4]))
        self.up = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.top4 = Csp(w[4] + w[3], w[3], depth, residual=False)
        self.top3 = Csp(w[3] + w[2], w[2], depth, residual=False)
        self.down3, self.down4 = _conv(w[2], w[2], stride=2), _conv(w[3], w[3], stride=2)
        self.bottom4 = Csp(w[2] + w[3], w[3], depth, residual=False)
        self.bottom5 = Csp(w[3] + w[4], w[4], depth, residual=False)
        self.heads = nn.ModuleList(
            [
                nn.Sequential(_conv(channels, w[2]), nn.Conv2d(w[2], 4 * bins + classes, 1))
                for channels in w[2:]
            ]
        )

    @override
    def forward(self, x: Tensor) -> list[Tensor]:
        p3 = self.stage3(self.stage2(self.stem(x)))
        p4 = self.stage4(p3)
        p5 = self.stage5(p4)
        n4 = self.top4(torch.cat([self.up(p5), p4], 1))
        n3 = self.top3(torch.cat([self.up(n4), p3], 1))
        n4 = self.bottom4(torch.cat([self.down3(n3), n4], 1))
        n5 = self.bottom5(torch.cat([self.down4(n4), p5], 1))
        return [head(y) for head, y in zip(self.heads, (n3, n4, n5), strict=True)]


def yolo(width: int = 16, depth: int = 1, classes: int = 80) -> nn.Module:
    """A detector of the size of YOLOv8n, ready to be exported; the image is a multiple of 32."""
    return Yolo(width, depth, classes).eval()
