"""DETR (Carion et al. 2020): a convolutional backbone, a transformer, learnt object queries."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import conv_bn


class Detr(nn.Module):
    """Returns {"logits": (N, queries, classes + 1), "boxes": (N, queries, 4)}."""

    def __init__(
        self, width: int, heads: int, depth: int, queries: int, image: int, classes: int
    ) -> None:
        super().__init__()
        side = image // 32
        widths = [16, 32, 64, 128, 256]
        self.backbone = nn.Sequential(
            *(conv_bn(a, b, stride=2) for a, b in zip([3, *widths], widths, strict=False))
        )
        self.project = nn.Conv2d(widths[-1], width, 1)
        self.position = nn.Parameter(0.02 * torch.randn(1, side * side, width))
        self.queries = nn.Parameter(0.02 * torch.randn(1, queries, width))
        encoder = nn.TransformerEncoderLayer(width, heads, 4 * width, batch_first=True)
        decoder = nn.TransformerDecoderLayer(width, heads, 4 * width, batch_first=True)
        self.encoder = nn.TransformerEncoder(encoder, depth, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder, depth)
        self.classes = nn.Linear(width, classes + 1)
        self.boxes = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4), nn.Sigmoid()
        )

    @override
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        tokens = self.project(self.backbone(image)).flatten(2).transpose(1, 2)
        memory = self.encoder(tokens + self.position)
        objects = self.decoder(self.queries.expand(image.shape[0], -1, -1), memory)
        return {"logits": self.classes(objects), "boxes": self.boxes(objects)}


def detr(
    width: int = 256,
    heads: int = 8,
    depth: int = 2,
    queries: int = 100,
    image: int = 256,
    classes: int = 91,
) -> nn.Module:
    """A DETR with a small backbone, ready to be exported; `image` is the side of its input."""
    return Detr(width, heads, depth, queries, image, classes).eval()
