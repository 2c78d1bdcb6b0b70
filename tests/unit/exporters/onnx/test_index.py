"""Elements chosen by indices of any integer type."""

import numpy as np
import pytest

from hbir.dialects.hbir.index import GatherElementsOp, GatherNdOp, IndexOp
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8"])
def test_parts_of_an_axis(dtype: str) -> None:
    net = Net(numbers((4, 5, 6), 0), np.array([[0, 3], [4, 1]], dtype))
    net.check(net.op(IndexOp, *net.inputs, dim=1))


def test_elements() -> None:
    index = np.random.default_rng(0).integers(-5, 5, (3, 7, 4))
    net = Net(numbers((3, 5, 4), 0), index)
    net.check(net.op(GatherElementsOp, *net.inputs, dim=1))


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_places(dtype: str) -> None:
    index = np.random.default_rng(0).integers(0, 4, (2, 6, 2)).astype(dtype)
    net = Net(numbers((2, 4, 5, 3), 0), index)
    net.check(net.op(GatherNdOp, *net.inputs, batchDim=1))
