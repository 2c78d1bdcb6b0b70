"""Resize and Upsample against onnxruntime."""

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from hbir.frontends.onnx.resize import COORDINATE_MODES
from tests.unit.frontends.onnx.oracle import Array, check, count, ints, reasons, single


def scales(*values: float) -> Array:
    return np.array(values, np.float32)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("factors", [(2.0, 3.0), (2.0, 1.0), (1.5, 2.5)])
def test_upsample_and_the_first_resize(mode: str, factors: tuple[float, float]) -> None:
    given = scales(1, 1, *factors)
    check(single("Upsample", (1, 2, 4, 6), [given], 9, mode=mode))
    check(single("Resize", (1, 2, 4, 6), [given], 10, mode=mode))


@pytest.mark.parametrize("coordinates", list(COORDINATE_MODES))
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("size", [(8, 12), (3, 4), (7, 9), (4, 6)])
def test_nearest(coordinates: str, rounding: str, size: tuple[int, int]) -> None:
    model = single(
        "Resize",
        (1, 2, 4, 6),
        [None, None, ints(1, 2, *size)],
        13,
        mode="nearest",
        nearest_mode=rounding,
        coordinate_transformation_mode=coordinates,
    )
    assert count(check(model), "hbir.resize2d") == 1


@pytest.mark.parametrize("coordinates", list(COORDINATE_MODES))
@pytest.mark.parametrize("size", [(8, 12), (3, 4), (7, 9), (1, 1)])
def test_bilinear_to_a_size(coordinates: str, size: tuple[int, int]) -> None:
    model = single(
        "Resize",
        (1, 2, 4, 6),
        [None, None, ints(1, 2, *size)],
        13,
        mode="linear",
        coordinate_transformation_mode=coordinates,
    )
    check(model)


@pytest.mark.parametrize("coordinates", ["half_pixel", "pytorch_half_pixel", "asymmetric"])
@pytest.mark.parametrize("factors", [(2.0, 2.0), (0.5, 1.7), (1.3, 0.6)])
def test_bilinear_by_scales(coordinates: str, factors: tuple[float, float]) -> None:
    model = single(
        "Resize",
        (1, 2, 5, 6),
        [None, scales(1, 1, *factors)],
        11,
        mode="linear",
        coordinate_transformation_mode=coordinates,
    )
    # opset 11 requires roi to be there; an empty one stands for nothing
    model.graph.node[0].input[1] = "roi"
    model.graph.initializer.append(_named(np.zeros(0, np.float32), "roi"))
    check(model)


def _named(array: Array, name: str) -> TensorProto:
    return numpy_helper.from_array(array, name)


def test_some_axes_only() -> None:
    check(single("Resize", (1, 2, 4, 6), [None, scales(2, 2)], 18, axes=[2, 3], mode="linear"))


def test_one_dimension() -> None:
    check(single("Resize", (1, 2, 5), [None, scales(1, 1, 2)], 13, mode="linear"))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"mode": "cubic"}, "mode must be one of nearest, linear, bilinear, got 'cubic'"),
        (
            {"coordinate_transformation_mode": "half_pixel_symmetric"},
            "coordinate_transformation_mode must be one of half_pixel, pytorch_half_pixel,"
            " asymmetric, align_corners, got 'half_pixel_symmetric'",
        ),
    ],
)
def test_others_are_cpu_ops_with_a_reason(attributes: dict[str, str], reason: str) -> None:
    model = single("Resize", (1, 2, 4, 6), [None, scales(1, 1, 2, 2)], 19, **attributes)
    assert reasons(check(model, on_cpu=["Resize"], tolerance=1e-3)) == [f"Resize: {reason}"]


def test_channels_must_stay() -> None:
    model = single("Resize", (1, 2, 4, 6), [None, scales(1, 2, 1, 1)], 13, mode="nearest")
    module = check(model, on_cpu=["Resize"])
    assert reasons(module) == ["Resize: N and C must stay, their scales are [1.0, 2.0]"]
