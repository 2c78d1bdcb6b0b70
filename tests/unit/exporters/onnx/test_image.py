"""Camera planes and colour spaces."""

import numpy as np
import pytest

from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, ImagePreprocessOp
from hbir.ir.types import F32
from hbir.kernels.float.image import COLOUR_SPACES
from tests.unit.exporters.onnx.oracle import Array, Net


def plane(*shape: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("csc", COLOUR_SPACES)
def test_a_camera_image(csc: str) -> None:
    net = Net(plane(1, 4, 6, 1), plane(1, 2, 3, 2))
    x = net.op(ImageConvertOp, *net.inputs, mode="NV12")
    x = net.op(CastTypeOp, x, element=F32)
    y = net.op(ImagePreprocessOp, x, csc=csc, mean=[1.0, 2.0, 3.0], sd=[50.0, 60.0, 70.0])
    net.check(y)


def test_a_gray_image() -> None:
    net = Net(plane(1, 4, 6, 1))
    net.check(net.op(ImageConvertOp, net.inputs[0], mode="GRAY"))
