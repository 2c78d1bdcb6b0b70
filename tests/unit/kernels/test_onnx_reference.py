"""What we mend in ONNX's reference implementation is right by onnxruntime."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from hbir.kernels.onnx_reference import evaluator
from hbir.kernels.types import Array
from tests.models.float_reference import FloatReference

_make: Any = helper


def check(op_type: str, shape: tuple[int, ...], opset: int, x: Array, **attributes: Any) -> None:
    """One operator by our evaluator and by onnxruntime."""
    node = _make.make_node(op_type, ["x"], ["y"], **attributes)
    ports = [_make.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = _make.make_graph([node], op_type, ports[:1], ports[1:])
    model = _make.make_model(graph, opset_imports=[_make.make_opsetid("", opset)], ir_version=8)
    wanted = FloatReference(model)({"x": x})["y"]
    np.testing.assert_allclose(evaluator(model).run(None, {"x": x})[0], wanted, rtol=1e-5)


def random(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("shape", [(1, 6, 3, 2), (3, 4, 2, 2)])
def test_lrn(shape: tuple[int, ...], size: int) -> None:
    check("LRN", shape, 13, random(shape), size=size, alpha=0.5, beta=0.6, bias=2.0)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_lp_normalization(axis: int, p: int) -> None:
    x = random((3, 4, 5))
    x[0, 0], x[:, 1, 2], x[1, :, 3] = 0, 0, 0
    check("LpNormalization", x.shape, 17, x, axis=axis, p=p)
