"""The best elements, equal ones in their order."""

import numpy as np
import pytest

from hbir.dialects.hbir.topk import TopkOp
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [1, 4, 5])
def test_best(largest: bool, k: int) -> None:
    net = Net(np.rint(numbers((2, 3, 4, 5), 0)))
    x = net.transposed(net.inputs[0], (0, 3, 1, 2))
    net.check(net.op(TopkOp, x, k=k, dim=1, largest=largest))
