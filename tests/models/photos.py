"""Photos that ship in scikit-image and scikit-learn, prepared for an ImageNet classifier.

Three photos have a known class and are never calibrated on; calibration uses others.
"""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import transform

from tests.models.packages import package_file

Photo = np.ndarray[Any, np.dtype[np.uint8]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]

_transform: Any = transform  # scikit-image is typed only in part

SIDE = 224
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STANDARD_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

SCIKIT_IMAGE = ("skimage", "scikit-image", "data")
SCIKIT_LEARN = ("sklearn", "scikit-learn", "datasets/images")
# photo: (where it lies, its ImageNet class, that class in words)
KNOWN_PHOTOS = {
    "chelsea.png": (SCIKIT_IMAGE, 285, "cat"),
    "coffee.png": (SCIKIT_IMAGE, 967, "espresso"),
    "china.jpg": (SCIKIT_LEARN, 698, "palace"),
}
CALIBRATION_PHOTOS = {
    "astronaut.png": SCIKIT_IMAGE,
    "rocket.jpg": SCIKIT_IMAGE,
    "motorcycle_left.png": SCIKIT_IMAGE,
    "ihc.png": SCIKIT_IMAGE,
    "color.png": SCIKIT_IMAGE,
    "hubble_deep_field.jpg": SCIKIT_IMAGE,
    "camera.png": SCIKIT_IMAGE,
    "coins.png": SCIKIT_IMAGE,
    "grass.png": SCIKIT_IMAGE,
    "brick.png": SCIKIT_IMAGE,
    "flower.jpg": SCIKIT_LEARN,
}


def read_photo(name: str, place: tuple[str, str, str]) -> Photo:
    """(H,W,3) uint8 RGB; a grey photo gets three equal channels."""
    package, requirement, folder = place
    path = package_file(package, requirement, str(Path(folder, name)))
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def preprocess(photo: Photo) -> FloatArray:
    """(H,W,3) uint8 to (1,3,224,224): centre square, anti-aliased resize, ImageNet mean and std."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = photo[top : top + side, left : left + side] / 255.0
    small = np.asarray(_transform.resize(square, (SIDE, SIDE), anti_aliasing=True), np.float32)
    normal = (small - MEAN) / STANDARD_DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis], np.float32)


def known_photos() -> list[tuple[str, int, FloatArray]]:
    """(class in words, ImageNet class, (1,3,224,224) input) of the photos never calibrated on."""
    return [
        (word, label, preprocess(read_photo(name, place)))
        for name, (place, label, word) in KNOWN_PHOTOS.items()
    ]


def calibration_photos() -> list[FloatArray]:
    """Inputs (1,3,224,224) for calibration: each photo whole, mirrored, and its four quarters."""
    inputs: list[FloatArray] = []
    for name, place in CALIBRATION_PHOTOS.items():
        photo = read_photo(name, place)
        rows, columns = photo.shape[0] // 2, photo.shape[1] // 2
        quarters = [photo[r : r + rows, c : c + columns] for r in (0, rows) for c in (0, columns)]
        inputs += [preprocess(crop) for crop in (photo, photo[:, ::-1], *quarters)]
    return inputs
