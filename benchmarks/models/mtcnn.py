"""MTCNN (Zhang et al. 2016): the three networks of the face detector, with their real weights.

`pnet` proposes windows all over an image, `rnet` and `onet` judge windows of 24x24 and 48x48. Each
gives probabilities (no face, face) and the box, `onet` five landmarks too. The weights are those of
the PyPI package facenet-pytorch (MIT), read by path.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn
from typing_extensions import override

from tests.models.packages import package_file

PACKAGE = ("facenet_pytorch", "facenet-pytorch==2.6.0")
LAYOUTS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "pnet": ((10, 3, 2), (16, 3, 0), (32, 3, 0)),
    "rnet": ((28, 3, 3), (48, 3, 3), (64, 2, 0)),
    "onet": ((32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, 0)),
}
"""Width and kernel of each convolution, and the kernel of the pooling behind it, 0 without."""

HIDDEN = {"pnet": (), "rnet": (576, 128), "onet": (1152, 256)}
"""Inputs and width of the hidden layer behind them."""

HEADS = {"pnet": (2, 4), "rnet": (2, 4), "onet": (2, 4, 10)}
"""Outputs of the heads: probabilities, box, landmarks."""

SIDES = {"pnet": 12, "rnet": 24, "onet": 48}
"""Of the windows on which they were trained."""


class Mtcnn(nn.Module):
    """One of the three: (N, 3, H, W) images in -1..1 to (N, outputs, ...) for each of its heads."""

    def __init__(self, name: str) -> None:
        super().__init__()
        layout, hidden = LAYOUTS[name], HIDDEN[name]
        self.pools = [pool for _, _, pool in layout]
        channels = 3
        for number, (width, kernel, _) in enumerate(layout, start=1):
            self.add_module(f"conv{number}", nn.Conv2d(channels, width, kernel))
            self.add_module(f"prelu{number}", nn.PReLU(width))
            channels = width
        last = len(layout) + 1
        self.hidden = last if hidden else 0
        if hidden:
            inputs, channels = hidden
            self.add_module(f"dense{last}", nn.Linear(inputs, channels))
            self.add_module(f"prelu{last}", nn.PReLU(channels))
            last += 1
        self.heads: list[str] = []
        for number, outputs in enumerate(HEADS[name], start=1):
            self.heads.append(f"{'dense' if hidden else 'conv'}{last}_{number}")
            head = nn.Linear(channels, outputs) if hidden else nn.Conv2d(channels, outputs, 1)
            self.add_module(self.heads[-1], head)

    @override
    def forward(self, image: Tensor) -> Sequence[Tensor]:
        x = image
        for number, pool in enumerate(self.pools, start=1):
            x = self._layer("conv", number, x)
            if pool:
                x = nn.functional.max_pool2d(x, pool, 2, ceil_mode=True)
        if self.hidden:
            # The weights come from a framework whose images are columns of rows.
            x = self._layer("dense", self.hidden, x.permute(0, 3, 2, 1).flatten(1))
        first, *others = (self.get_submodule(head)(x) for head in self.heads)
        return (torch.softmax(first, dim=1), *others)

    def _layer(self, kind: str, number: int, x: Tensor) -> Tensor:
        x = self.get_submodule(f"{kind}{number}")(x)
        return self.get_submodule(f"prelu{number}")(x)


@cache
def load(name: str) -> Mtcnn:
    """A trained network, of LAYOUTS; raises ModelMissing when the package isn't installed."""
    path = package_file(*PACKAGE, f"data/{name}.pt")
    network = Mtcnn(name)
    network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return network.eval()
