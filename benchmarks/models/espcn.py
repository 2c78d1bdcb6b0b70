"""ESPCN (Shi et al. 2016): super-resolution by pixel shuffle."""

from torch import nn


def espcn(scale: int = 3) -> nn.Module:
    """One channel in, one channel of `scale` times the size out. Ready to be exported."""
    return nn.Sequential(
        nn.Conv2d(1, 64, 5, padding=2),
        nn.Tanh(),
        nn.Conv2d(64, 32, 3, padding=1),
        nn.Tanh(),
        nn.Conv2d(32, scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
        nn.Sigmoid(),
    ).eval()
