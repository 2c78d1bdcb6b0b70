"""MTCNN's three networks as cases, on the labelled windows that ship in scikit-image.

`lfw_subset` holds 100 faces and then 100 windows without one, 25x25 and grey; each network gets
them at the size on which it was trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage import data, transform

from benchmarks.accuracy.case import Array, Case, exported, feeds, right_class
from benchmarks.models import mtcnn

CALIBRATED_OF_EACH = 16
"""Faces, and windows without one; the others are judged."""

OUTPUTS = ("probabilities", "box", "landmarks")

_data: Any = data  # scikit-image is typed only in part
_transform: Any = transform


def case(name: str) -> Case:
    """One of mtcnn.LAYOUTS: is it a face?"""
    side = mtcnn.SIDES[name]
    windows: Array = _data.lfw_subset()
    labels = np.arange(len(windows)) < len(windows) // 2
    of_its_kind = np.arange(len(windows)) % (len(windows) // 2)
    seen = of_its_kind < CALIBRATED_OF_EACH
    # One of each in turn, for a search looks at the first few.
    first = np.argsort(of_its_kind, kind="stable")[: 2 * CALIBRATED_OF_EACH]
    calibrated: list[int] = first.tolist()
    inputs: list[Array] = [_input(window, side) for window in windows]
    return Case(
        exported(mtcnn.load(name), (1, 3, side, side), OUTPUTS[: len(mtcnn.HEADS[name])]),
        feeds([inputs[index] for index in calibrated]),
        feeds([inputs[index] for index in np.flatnonzero(~seen)]),
        "accuracy",
        right_class(labels[~seen].astype(int)),
    )


def _input(window: Array, side: int) -> Array:
    """A grey window in 0..1 as the (1, 3, side, side) that the networks expect."""
    small = np.asarray(_transform.resize(window, (side, side), anti_aliasing=True), np.float32)
    normal = (255.0 * small - 127.5) / 128.0
    return np.repeat(normal[np.newaxis, np.newaxis], 3, axis=1)
