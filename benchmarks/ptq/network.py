"""ResNet-50 and images for it, written by a process of its own: `benchmarks.ptq` must stay small.

python -m benchmarks.ptq.network FOLDER IMAGES

Weights and images are random (tests/models/resnet50.py), which changes nothing that is timed but
one thing: int8 loses more than on a trained network, so hbir looks for the layers at fault, too.
"""

import sys
from pathlib import Path

import numpy as np

from tests.models import resnet50


def main(folder: Path, count: int) -> None:
    """`resnet50.onnx` and `data/000.npy`, ... of one image each."""
    (folder / "resnet50.onnx").write_bytes(resnet50.build().SerializeToString())
    data = folder / "data"
    data.mkdir()
    for index, image in enumerate(resnet50.noise_images(count, seed=1)):
        np.save(data / f"{index:03}.npy", image[None])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
