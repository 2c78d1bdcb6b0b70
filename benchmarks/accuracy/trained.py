"""Two small networks, trained here in seconds on labelled data of packages: digits and MNIST-1D.

The seed and a single thread make them the same at every run on a machine.
"""

# torch is typed only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import nn
from torch.nn import functional

from benchmarks.accuracy.case import Array, Case, exported, feeds, right_class
from tests.models.packages import ModelMissing

SEED = 20261121
BATCH = 64
LEARNING_RATE = 3e-3
CALIBRATED = 100
DIGITS_JUDGED = 600

_datasets: Any = datasets  # scikit-learn is typed only in part


def digits() -> Case:
    """The 1,797 handwritten digits of scikit-learn, 8x8, a third of them judged."""
    images, labels = _datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(SEED).permutation(len(images))
    inputs = (images[order] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, 10),
    )
    return _case(network, inputs, labels[order], DIGITS_JUDGED, epochs=15)


def mnist1d() -> Case:
    """MNIST-1D (Greydanus 2020): 4,000 signals of 40 samples to train on, 1,000 to judge by."""
    inputs, labels = _mnist1d_signals()
    network = nn.Sequential(
        nn.Conv1d(1, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv1d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(64, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 5, 10),
    )
    return _case(network, inputs, labels, 1000, epochs=20)


def _mnist1d_signals() -> tuple[Array, Array]:
    """All 5,000 signals and their digits, those to judge by last; the package generates them."""
    try:
        package: Any = import_module("mnist1d.data")
    except ImportError as error:
        raise ModelMissing(
            f"no {error.name}: run `pip install mnist1d==0.0.2.post1`, which generates MNIST-1D"
        ) from None
    made = package.make_dataset(package.get_dataset_args())
    signals = np.concatenate([made["x"], made["x_test"]]).astype(np.float32)
    return signals[:, np.newaxis], np.concatenate([made["y"], made["y_test"]])


def _case(network: nn.Sequential, inputs: Array, labels: Array, judged: int, epochs: int) -> Case:
    seen = len(inputs) - judged
    _train(network, torch.tensor(inputs[:seen]), torch.tensor(labels[:seen]).long(), epochs)
    samples = np.split(inputs, len(inputs))
    return Case(
        exported(network.eval(), (1, *inputs.shape[1:]), ["digit"]),
        feeds(samples[:CALIBRATED]),
        feeds(samples[seen:]),
        "top-1",
        right_class(labels[seen:]),
    )


def _train(network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    """Adam on cross entropy, with a learning rate that falls to 0."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    for layer in network:
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
            layer.reset_parameters()  # by the seed
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    steps = epochs * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            optimizer.zero_grad()
            functional.cross_entropy(network(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
