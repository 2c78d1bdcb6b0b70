"""MLP-Mixer (Tolstikhin et al. 2021): linear layers over tokens and over channels in turn."""

from torch import Tensor, nn
from typing_extensions import override


def _mlp(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class Layer(nn.Module):
    """Mixes tokens, then channels, each with a residual connection."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens, self.channels = _mlp(tokens, width // 2), _mlp(width, 4 * width)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    """Patches, layers, norm, mean over tokens, logits."""

    def __init__(self, image: int, patch: int, width: int, depth: int, classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        tokens = (image // patch) ** 2
        self.layers = nn.Sequential(*(Layer(tokens, width) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(self.patches(x).flatten(2).transpose(1, 2))
        return self.head(self.norm(x).mean(1))


def mlp_mixer(
    image: int = 224, patch: int = 16, width: int = 512, depth: int = 8, classes: int = 1000
) -> nn.Module:
    """Mixer-S/16 by default, ready to be exported."""
    return Mixer(image, patch, width, depth, classes).eval()
