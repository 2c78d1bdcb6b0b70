"""The first greatest and least elements."""

import numpy as np
import pytest

from hbir.dialects.hbir.argmax import ArgOp, ReduceArgmaxOp, ReduceArgminOp
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("kind", [ReduceArgmaxOp, ReduceArgminOp])
@pytest.mark.parametrize("kept", [True, False])
def test_indices(kind: type[ArgOp], kept: bool) -> None:
    net = Net(np.rint(numbers((2, 3, 4, 5), 0)))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    net.check(net.op(kind, x, dims=[3], keepDim=kept))
