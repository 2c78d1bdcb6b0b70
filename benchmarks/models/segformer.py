"""SegFormer (Xie et al. 2021): a pyramid of transformers with reduced keys, and an MLP head."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

B0 = ((32, 64, 160, 256), (1, 2, 5, 8), (8, 4, 2, 1), 2)
"""Widths, heads, reductions of keys per stage, and layers in each."""


class Layer(nn.Module):
    """Attention with keys from a strided convolution; an MLP with a depthwise one inside."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.reduce = nn.Conv2d(width, width, reduction, reduction) if reduction > 1 else None
        self.reduce_norm = nn.LayerNorm(width) if reduction > 1 else None
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.depthwise = nn.Conv2d(4 * width, 4 * width, 3, padding=1, groups=4 * width)

    def _attention(self, x: Tensor, h: int, w: int) -> Tensor:
        n, length, width = x.shape
        q = self.query(x).view(n, length, self.heads, -1).transpose(1, 2)
        if self.reduce is not None and self.reduce_norm is not None:
            image = x.transpose(1, 2).reshape(n, width, h, w)
            x = self.reduce_norm(self.reduce(image).flatten(2).transpose(1, 2))
        k, v = self.key_value(x).view(n, -1, 2, self.heads, width // self.heads).unbind(2)
        y = functional.scaled_dot_product_attention(q, k.transpose(1, 2), v.transpose(1, 2))
        return self.out(y.transpose(1, 2).flatten(2))

    def _mlp(self, x: Tensor, h: int, w: int) -> Tensor:
        y = self.fc1(x).transpose(1, 2)
        y = y.reshape(*y.shape[:2], h, w)
        return self.fc2(functional.gelu(self.depthwise(y)).flatten(2).transpose(1, 2))

    @override
    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, H, W)."""
        _, _, h, w = x.shape
        y = x.flatten(2).transpose(1, 2)
        y = y + self._attention(self.norm1(y), h, w)
        y = y + self._mlp(self.norm2(y), h, w)
        return y.transpose(1, 2).reshape(x.shape)


class SegFormer(nn.Module):
    """Four stages at strides 4 to 32; logits at stride 4."""

    def __init__(
        self,
        widths: Sequence[int],
        heads: Sequence[int],
        reductions: Sequence[int],
        depth: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        cin = 3
        for stage, (width, count, reduction) in enumerate(
            zip(widths, heads, reductions, strict=True)
        ):
            kernel, stride = (7, 4) if stage == 0 else (3, 2)
            patches = nn.Conv2d(cin, width, kernel, stride, kernel // 2)
            layers = [Layer(width, count, reduction) for _ in range(depth)]
            self.stages.append(nn.Sequential(patches, *layers))
            cin = width
        self.project = nn.ModuleList([nn.Conv2d(width, widths[0], 1) for width in widths])
        self.head = nn.Sequential(
            nn.Conv2d(4 * widths[0], widths[0], 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
            nn.Conv2d(widths[0], classes, 1),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for stage, project in zip(self.stages, self.project, strict=True):
            x = stage(x)
            maps.append(project(x))
        size = maps[0].shape[2:]
        whole = [
            functional.interpolate(y, size=size, mode="bilinear", align_corners=False) for y in maps
        ]
        return self.head(torch.cat(whole, 1))


def segformer(
    widths: Sequence[int] = B0[0],
    heads: Sequence[int] = B0[1],
    reductions: Sequence[int] = B0[2],
    depth: int = B0[3],
    classes: int = 19,
) -> nn.Module:
    """SegFormer-B0 by default, ready to be exported."""
    return SegFormer(widths, heads, reductions, depth, classes).eval()
