"""What we mend in ONNX's reference implementation is right by onnxruntime."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from hbir.kernels.onnx_reference import evaluator
from tests.models.float_reference import FloatReference

_make: Any = helper


@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("shape", [(1, 6, 3, 2), (3, 4, 2, 2)])
def test_lrn(shape: tuple[int, ...], size: int) -> None:
    node = _make.make_node("LRN", ["x"], ["y"], size=size, alpha=0.5, beta=0.6, bias=2.0)
    ports = [_make.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = _make.make_graph([node], "lrn", ports[:1], ports[1:])
    model = _make.make_model(graph, opset_imports=[_make.make_opsetid("", 13)], ir_version=8)
    feeds = {"x": np.random.default_rng(0).normal(size=shape).astype(np.float32)}
    wanted = FloatReference(model)(feeds)["y"]
    np.testing.assert_allclose(evaluator(model).run(None, feeds)[0], wanted, rtol=1e-5)
