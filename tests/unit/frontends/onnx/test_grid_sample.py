"""GridSample against onnxruntime."""

import pytest
from onnx import ModelProto

from tests.unit.frontends.onnx.oracle import check, count, model_of, node, reasons


def model(
    mode: str, padding: str, align: int, opset: int, size: tuple[int, int] = (6, 5)
) -> ModelProto:
    nodes = [node("GridSample", ["x", "g"], mode=mode, padding_mode=padding, align_corners=align)]
    return model_of(nodes, {"x": (2, 3, *size), "g": (2, 4, 7, 2)}, ["y"], opset=opset)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("align", [0, 1])
def test_images(mode: str, padding: str, align: int) -> None:
    module = check(model(mode, padding, align, 16))
    assert count(module, "hbir.grid_sample") == 1
    check(model(mode, padding, align, 16, (1, 1)))


def test_the_mode_has_another_name_since() -> None:
    check(model("linear", "zeros", 0, 22))


def test_others_are_cpu_ops_with_a_reason() -> None:
    module = check(model("bilinear", "reflection", 1, 16), on_cpu=["GridSample"])
    assert reasons(module) == [
        "GridSample: padding_mode must be one of zeros, border, got 'reflection'"
    ]
