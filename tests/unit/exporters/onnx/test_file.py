"""A file put together from its parts is the file that protobuf writes of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from hbir.exporters.onnx.file import OnnxFile
from hbir.ir.types import Array

ARRAYS = {
    "float": np.arange(300, dtype=np.float32).reshape(3, 100),
    "strided": np.arange(24, dtype=np.float32).reshape(4, 6).T,
    "half": np.array([1.5, -2], np.float16),
    "int8": np.array([[-128, 127]], np.int8),
    "int64": np.array(-7),
    "bool": np.array([True, False]),
    "empty": np.zeros((0, 2), np.float32),
    "big-endian": np.array([1, 2], ">i4"),
}


def model_without_arrays() -> ModelProto:
    """A model with fields before and after the graph, and in it before and after initializers."""
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in "xyz"]
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    own = numpy_helper.from_array(np.ones(2, np.float32), "own")
    graph = helper.make_graph(
        nodes, "graph", ports[:1], ports[2:], [own], "a graph", value_info=ports[1:2]
    )
    opsets = [helper.make_opsetid("", 19)]
    return helper.make_model(graph, producer_name="test", opset_imports=opsets, doc_string="doc")


def whole(model: ModelProto, arrays: dict[str, Array]) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    copy.graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in arrays.items())
    return copy


@pytest.mark.parametrize("names", [[], ["int64"], list(ARRAYS)], ids=["none", "scalar", "all"])
def test_arrays_stand_in_the_file_as_protobuf_writes_them(names: list[str]) -> None:
    arrays = {name: ARRAYS[name] for name in names}
    model = model_without_arrays()
    expected = whole(
        model, {name: a.astype(a.dtype.newbyteorder("<")) for name, a in arrays.items()}
    )
    assert OnnxFile(model, arrays).data() == expected.SerializeToString(deterministic=True)


def test_so_do_tensors() -> None:
    model = model_without_arrays()
    tensors = [numpy_helper.from_array(ARRAYS["float"], "float")]
    expected = whole(model, {"float": ARRAYS["float"]})
    assert OnnxFile(model, tensors=tensors).data() == expected.SerializeToString(deterministic=True)
