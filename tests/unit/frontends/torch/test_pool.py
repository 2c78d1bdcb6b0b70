"""Pools and upsampling against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.unit.frontends.torch.oracle import check, operations, random

POOLS = [
    nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2, 1, dilation=2),
    nn.MaxPool2d((2, 3), (1, 2)), nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, True, False),
    nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d((3, 2)), nn.AdaptiveAvgPool2d((4, None)),
    nn.AdaptiveAvgPool2d((5, 7)), nn.AdaptiveMaxPool2d(1), nn.AdaptiveMaxPool2d((3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("layer", POOLS, ids=str)
def test_pool(layer: nn.Module) -> None:
    check(layer, random(2, 3, 9, 8))


def test_pools_in_one_dimension_and_three() -> None:
    check(nn.MaxPool1d(3, 2, 1), random(2, 3, 9))
    check(nn.AvgPool1d(2), random(2, 3, 8))
    check(nn.AdaptiveAvgPool1d(4), random(2, 3, 9))
    check(nn.MaxPool3d(2), random(1, 2, 4, 4, 4), on_cpu=["onnx::MaxPool"])


MODES: list[dict[str, Any]] = [
    {"scale_factor": 2, "mode": "nearest"},
    {"size": (7, 5), "mode": "nearest"},
    {"scale_factor": 1.7, "mode": "nearest"},
    {"size": (13, 3), "mode": "nearest-exact"},
    {"scale_factor": 2.0, "mode": "bilinear", "align_corners": False},
    {"scale_factor": 0.6, "mode": "bilinear", "align_corners": False},
    {"size": (11, 3), "mode": "bilinear", "align_corners": True},
    {"size": (1, 1), "mode": "bilinear", "align_corners": False},
    {"scale_factor": 1.5, "mode": "bilinear", "recompute_scale_factor": True},
]


@pytest.mark.parametrize("options", MODES, ids=str)
def test_interpolate(options: dict[str, Any]) -> None:
    exported = check(lambda x: functional.interpolate(x, **options), random(1, 2, 6, 8))
    assert "hbir.resize2d" in operations(exported)


def test_interpolate_in_one_dimension() -> None:
    check(nn.Upsample(scale_factor=3, mode="linear"), random(1, 2, 5))
    check(nn.Upsample(scale_factor=2, mode="nearest"), random(1, 2, 5))


def test_bicubic_runs_on_the_cpu() -> None:
    layer = nn.Upsample(scale_factor=2, mode="bicubic")
    check(layer, random(1, 2, 5, 6), on_cpu=["onnx::Resize"], tolerance=1e-4)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_grid_sample(mode: str, padding: str) -> None:
    def sample(x: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return functional.grid_sample(x, grid, mode, padding, align_corners=False)

    check(sample, random(1, 2, 5, 6), random(1, 3, 4, 2, seed=1, low=-1.2, high=1.2))
