"""Sampling at positions that are data."""

import pytest

from hbir.dialects.hbir.grid_sample import GridSampleOp
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize(("expansion", "value"), [("constant", 0), ("constant", 2), ("border", 0)])
@pytest.mark.parametrize("aligned", [True, False])
def test_samples(mode: str, expansion: str, value: float, aligned: bool) -> None:
    net = Net(numbers((2, 5, 6, 3), 0), numbers((2, 4, 4, 2), 1))
    y = net.op(
        GridSampleOp,
        *net.inputs,
        mode=mode,
        expansionMode=expansion,
        alignCorner=aligned,
        padValue=float(value),
    )
    net.check(y, tolerance=1e-4)
