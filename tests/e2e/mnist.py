"""The bundled MNIST example as the tests see it."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.e2e.levels import Feed, Network

Array = np.ndarray[Any, Any]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mnist"
MODEL = EXAMPLE / "model.onnx"
INPUT_NAME = "image"
OUTPUT_NAME = "logits"


def digits(part: str) -> tuple[Array, Array]:
    """Images (N,1,28,28) float32 and labels (N,) of `part`, "calib" or "test"."""
    with np.load(EXAMPLE / f"{part}.npz") as arrays:
        return arrays["images"], arrays["labels"]


def feeds(images: Array) -> list[Feed]:
    """One feed of shape (1,1,28,28) per image."""
    return [{INPUT_NAME: image[np.newaxis]} for image in images]


def calibrated_network(folder: Path) -> Network:
    """The bundled model, calibrated on its calibration images."""
    return Network.calibrate("mnist", MODEL, feeds(digits("calib")[0]), folder)
