"""Make `quantized.bc` of the two networks: `python -m benchmarks.compile.networks NAME OUT MARCH`.

A process of its own, so that the memory it takes isn't counted into what is measured afterwards.
ResNet-50 has random weights and is calibrated on noise; MobileNetV2 has its ImageNet weights and is
calibrated on photos. What is timed doesn't depend on either.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

import hbir
import hbir.onnx
from tests.models import mobilenetv2, photos, resnet50

Array = np.ndarray[Any, Any]
CALIBRATION_IMAGES = 8


def _resnet50() -> tuple[onnx.ModelProto, list[Array]]:
    images = resnet50.noise_images(CALIBRATION_IMAGES, seed=1)
    return resnet50.build(), [images[i : i + 1] for i in range(len(images))]


def _mobilenetv2() -> tuple[onnx.ModelProto, list[Array]]:
    return mobilenetv2.build(), list(photos.calibration_photos()[:CALIBRATION_IMAGES])


NETWORKS: dict[str, Callable[[], tuple[onnx.ModelProto, list[Array]]]] = {
    "resnet50": _resnet50,
    "mobilenetv2": _mobilenetv2,
}


def write_quantized(name: str, path: Path, march: str) -> None:
    """Export, calibrate, convert and save the network `name` for `march`."""
    model, images = NETWORKS[name]()
    module = hbir.onnx.export(model, name=name)
    calibrated = hbir.calibrate(module, [{"image": image} for image in images])
    path.parent.mkdir(parents=True, exist_ok=True)
    hbir.save(hbir.convert(calibrated, march), str(path))


if __name__ == "__main__":
    write_quantized(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
