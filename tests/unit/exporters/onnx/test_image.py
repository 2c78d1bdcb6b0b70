"""Camera planes and colour spaces."""

import numpy as np
import pytest

from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, ImagePreprocessOp
from hbir.exporters.onnx.exporter import export_module
from hbir.ir.types import F32
from hbir.kernels.float.image import COLOUR_SPACES
from hbir.module import Module
from tests.unit.exporters.onnx.oracle import Array, Net, compare


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


@pytest.mark.parametrize("mode", ["nv12", "gray"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("pads", ["constant", "border"])
def test_a_roi_of_an_image_of_any_size(mode: str, interpolation: str, pads: str) -> None:
    """The model's planes are open too, and its integers are the op's."""
    shape = "tensor<1x6x8x3xsi8>" if mode == "nv12" else "tensor<1x6x8x1xsi8>"
    module = Module.parse(
        f"func.func @f(%x: {shape}) -> {shape} {{\n  func.return %x : {shape}\n}}"
    )
    module.functions[0].flatten_inputs[0].insert_roi_resize(mode, interpolation, pads, (9, 200))
    model = export_module(module, quantized=False)
    assert not model.graph.input[0].type.tensor_type.shape.dim[1].HasField("dim_value")
    for roi in ([2, 3, 20, 17], [-5, -3, 10, 9], [25, 15, 40, 30], [7, 7, 7, 7]):
        planes = [plane(1, 20, 30, 1), plane(1, 10, 15, 2)][: 2 if mode == "nv12" else 1]
        compare(model, module, [*planes, np.array([roi], np.int32)], tolerance=0)
