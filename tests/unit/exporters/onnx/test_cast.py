"""Casts, and what the machine holds as float16."""

import numpy as np
import pytest

from hbir.dialects.hbir.cast import CastTypeOp, FakeCastOp
from hbir.ir.types import element_type
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "bool", "float16", "float64"])
def test_casts(dtype: str) -> None:
    net = Net(numbers((3, 4), 0, 3.0))
    net.check(net.op(CastTypeOp, net.inputs[0], element=element_type(np.dtype(dtype))))


def test_float16_saturates() -> None:
    x = np.array([0.1, -1e-7, 65519.0, 1e9, -1e9, 2049.0], np.float32)
    net = Net(x)
    net.check(net.op(FakeCastOp, net.inputs[0], dtype=element_type(np.dtype(np.float16))))
