"""Elements put in places, replacing or combined."""

import numpy as np
import pytest

from hbir.dialects.hbir.scatter import ScatterElementsOp, ScatterNdOp
from hbir.kernels.float.scatter import REDUCE_MODES
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("mode", REDUCE_MODES)
def test_elements(mode: str) -> None:
    index = np.array([[2, 0, 3], [1, 3, 0]])
    net = Net(numbers((4, 3), 0), index, numbers((2, 3), 1))
    net.check(net.op(ScatterElementsOp, *net.inputs, dim=0, scatterReduceMode=mode))


@pytest.mark.parametrize("mode", REDUCE_MODES)
def test_places(mode: str) -> None:
    net = Net(numbers((4, 3), 0), np.array([[2], [0]], np.int32), numbers((2, 3), 1))
    net.check(net.op(ScatterNdOp, *net.inputs, scatterReduceMode=mode))
