"""Vision transformers: ViT (Dosovitskiy et al. 2020), SigLIP image encoders (Zhai et al. 2023).

SigLIP has no class token; its pooled output is one learnt query attending to all patches, and an
MLP on it. Attention is written out (matmul, softmax, matmul), as exporters see it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from typing_extensions import override


@dataclass(frozen=True)
class Size:
    """Width, depth, heads and hidden width of the MLP."""

    width: int
    depth: int
    heads: int
    hidden: int


SIZES = {
    "tiny": Size(192, 12, 3, 768),
    "small": Size(384, 12, 6, 1536),
    "base": Size(768, 12, 12, 3072),
    "large": Size(1024, 24, 16, 4096),
    "so400m": Size(1152, 27, 16, 4304),
}


class Attention(nn.Module):
    """Multi-head attention of `queries` to `tokens`, both (N, L, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def _split(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        return x.reshape(n, length, self.heads, width // self.heads).transpose(1, 2)

    @override
    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        q, k, v = (
            self._split(part)
            for part in (self.query(queries), self.key(tokens), self.value(tokens))
        )
        weights = torch.softmax(q @ k.transpose(-2, -1) * self.scale, dim=-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


def mlp(size: Size) -> nn.Sequential:
    """Two linear layers with a GELU between."""
    return nn.Sequential(
        nn.Linear(size.width, size.hidden), nn.GELU(), nn.Linear(size.hidden, size.width)
    )


class EncoderLayer(nn.Module):
    """Pre-norm attention and MLP, each with a residual connection."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.attention, self.mlp = Attention(size.width, size.heads), mlp(size)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y)
        return x + self.mlp(self.norm2(x))


class PoolingHead(nn.Module):
    """SigLIP's pooler: one learnt query attends to the tokens, then a residual MLP. (N, width)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.probe = nn.Parameter(torch.randn(1, 1, size.width))
        self.attention = Attention(size.width, size.heads)
        self.norm, self.mlp = nn.LayerNorm(size.width), mlp(size)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = self.attention(self.probe.expand(x.shape[0], -1, -1), x)
        return (x + self.mlp(self.norm(x)))[:, 0]


class VisionTransformer(nn.Module):
    """Patches to tokens, encoder layers, norm.

    head: `tokens` returns all tokens (SigLIP's last_hidden_state), `pooler` SigLIP's pooled
    output, `class` the logits of a ViT with a class token.
    """

    def __init__(self, size: Size, image: int, patch: int, head: str, classes: int = 1000) -> None:
        super().__init__()
        tokens = (image // patch) ** 2 + (head == "class")
        self.head_kind = head
        self.patches = nn.Conv2d(3, size.width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, size.width))
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens, size.width))
        self.layers = nn.Sequential(*(EncoderLayer(size) for _ in range(size.depth)))
        self.norm = nn.LayerNorm(size.width)
        self.head = {
            "tokens": nn.Identity,
            "pooler": lambda: PoolingHead(size),
            "class": lambda: nn.Linear(size.width, classes),
        }[head]()

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        if self.head_kind == "class":
            x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.norm(self.layers(x + self.position))
        return self.head(x[:, 0] if self.head_kind == "class" else x)


def vit(size: str, image: int = 224, patch: int = 16) -> nn.Module:
    """ViT with a class token: logits. Ready to be exported."""
    return VisionTransformer(SIZES[size], image, patch, "class").eval()


def siglip(size: str, image: int, patch: int, pooler: bool) -> nn.Module:
    """SigLIP's image encoder: its pooled output, or all its tokens. Ready to be exported."""
    return VisionTransformer(SIZES[size], image, patch, "pooler" if pooler else "tokens").eval()
