"""A small calibrated network for the debugger's tests."""

from functools import lru_cache
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from hbir import Module, calibrate
from hbir.onnx import export

Helper: Any = helper
Array = np.ndarray[Any, Any]

SHAPE = (1, 3, 8, 8)


def samples(count: int = 3) -> list[Array]:
    generator = np.random.default_rng(7)
    return [generator.normal(size=SHAPE).astype(np.float32) for _ in range(count)]


def uneven_weights() -> Array:
    """Of the second layer: its input's channels differ a hundredfold, which int8 can't hold."""
    return np.random.default_rng(1).normal(size=(4, 4, 1, 1)).astype(np.float32)


@lru_cache(maxsize=1)
def float_network() -> Module:
    """conv1, relu1, conv2 (whose input is uneven), relu2, conv3."""
    generator = np.random.default_rng(0)
    first = generator.normal(size=(4, 3, 3, 3)).astype(np.float32)
    first *= np.asarray([100, 1, 1, 0.3], np.float32).reshape(4, 1, 1, 1)
    second = uneven_weights() * np.asarray([0.001, 1, 1, 3], np.float32).reshape(1, 4, 1, 1)
    third = generator.normal(size=(2, 4, 1, 1)).astype(np.float32)

    def node(kind: str, inputs: str, output: str, name: str, **more: Any) -> Any:
        return Helper.make_node(kind, inputs.split(), [output], name=name, **more)

    graph = Helper.make_graph(
        [
            node("Conv", "x w1", "a", "conv1", pads=[1, 1, 1, 1]),
            node("Relu", "a", "b", "relu1"),
            node("Conv", "b w2", "c", "conv2"),
            node("Relu", "c", "d", "relu2"),
            node("Conv", "d w3", "y", "conv3"),
        ],
        "net",
        [Helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [Helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 2, 8, 8))],
        [numpy_helper.from_array(w, n) for w, n in ((first, "w1"), (second, "w2"), (third, "w3"))],
    )
    return export(Helper.make_model(graph, opset_imports=[Helper.make_opsetid("", 19)]))


@lru_cache(maxsize=1)
def calibrated() -> Module:
    """The same, calibrated on `samples`."""
    return calibrate(float_network(), [{"x": sample} for sample in samples()])
