"""Swin transformer (Liu et al. 2021): attention in shifted windows with a learnt position bias."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

TINY = ((2, 2, 6, 2), (3, 6, 12, 24), 96)
"""Depths, heads, and width of the first stage."""


def windows(x: Tensor, size: int) -> Tensor:
    """(N, H, W, C) as (N · windows, size · size, C)."""
    n, h, w, c = x.shape
    x = x.view(n, h // size, size, w // size, size, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, c)


def whole(x: Tensor, size: int, shape: torch.Size) -> Tensor:
    """The reverse of `windows`: (N, H, W, C) of `shape`."""
    n, h, w, c = shape
    x = x.view(n, h // size, w // size, size, size, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)


def relative_positions(size: int) -> Tensor:
    """For each pair of a window's elements the row of the bias table, (size², size²)."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()])
    offsets = places[:, :, None] - places[:, None, :] + size - 1
    return offsets[0] * (2 * size - 1) + offsets[1]


class WindowAttention(nn.Module):
    """Attention among the elements of each window, rolled by `shift` before."""

    def __init__(self, width: int, heads: int, size: int, shift: int) -> None:
        super().__init__()
        self.heads, self.size, self.shift = heads, size, shift
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros((2 * size - 1) ** 2, heads))
        self.positions: Tensor
        self.register_buffer("positions", relative_positions(size))

    def _mask(self, h: int, w: int) -> Tensor:
        """−100 between elements that the roll brought together, (windows, 1, size², size²)."""
        image = torch.zeros(1, h, w, 1)
        cuts = (slice(-self.size), slice(-self.size, -self.shift), slice(-self.shift, None))
        for index, (rows, columns) in enumerate((r, c) for r in cuts for c in cuts):
            image[:, rows, columns] = index
        parts = windows(image, self.size).squeeze(-1)
        different = parts[:, None, :] != parts[:, :, None]
        return torch.zeros(different.shape).masked_fill(different, -100.0)[:, None]

    @override
    def forward(self, x: Tensor) -> Tensor:
        _, h, w, c = shape = x.shape
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        tokens = windows(x, self.size)
        length = self.size**2
        qkv = self.qkv(tokens).view(-1, length, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.bias[self.positions].permute(2, 0, 1)[None]
        if self.shift:
            bias = bias + self._mask(h, w).repeat(shape[0], 1, 1, 1)
        scores = q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5 + bias
        y = torch.softmax(scores, -1) @ v
        y = whole(self.out(y.transpose(1, 2).reshape(-1, length, c)), self.size, shape)
        return torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y


class Block(nn.Module):
    """Pre-norm window attention and MLP, each with a residual connection."""

    def __init__(self, width: int, heads: int, size: int, shift: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads, size, shift)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchMerging(nn.Module):
    """Four neighbours beside one another, normalised and projected: half the height and width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    @override
    def forward(self, x: Tensor) -> Tensor:
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, -1)))


class Swin(nn.Module):
    """Patches, stages with merging between them, norm, mean, logits."""

    def __init__(
        self,
        depths: Sequence[int],
        heads: Sequence[int],
        width: int,
        image: int,
        window: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, width, 4, 4), nn.LayerNorm(width)
        stages: list[nn.Module] = []
        side = image // 4
        for stage, (depth, count) in enumerate(zip(depths, heads, strict=True)):
            if stage > 0:
                stages.append(PatchMerging(width))
                width, side = 2 * width, side // 2
            size = min(window, side)
            for number in range(depth):
                shift = size // 2 if number % 2 and side > size else 0
                stages.append(Block(width, count, size, shift))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(self.norm(self.patches(x).permute(0, 2, 3, 1)))
        norm, linear = self.head
        return linear(norm(x).mean((1, 2)))


def swin(
    depths: Sequence[int] = TINY[0],
    heads: Sequence[int] = TINY[1],
    width: int = TINY[2],
    image: int = 224,
    window: int = 7,
    classes: int = 1000,
) -> nn.Module:
    """Swin-T by default; image must be a multiple of the window at each stage."""
    return Swin(depths, heads, width, image, window, classes).eval()
