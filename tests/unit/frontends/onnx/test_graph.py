"""The normalised view of a graph, and graphs that aren't well-formed."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hbir.errors import HbirError
from hbir.frontends.onnx.graph import read_graph
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import check, ints, model_of, node, random, single

_make: Any = helper


def test_nodes_are_sorted() -> None:
    nodes = [node("Relu", ["b"], ["y"]), node("Exp", ["a"], ["b"]), node("Tanh", ["x"], ["a"])]
    model = model_of(nodes, {"x": (3,)}, ["y"])
    assert [n.type for n in read_graph(model).nodes] == ["Tanh", "Exp", "Relu"]
    sound = model_of(list(reversed(nodes)), {"x": (3,)}, ["y"])
    feeds = {"x": random(3)}
    got, same = (export(m).functions[0].feed(feeds)["y"] for m in (model, sound))
    np.testing.assert_array_equal(got, same)


def test_initializers_among_the_inputs_are_constants() -> None:
    model = single("Add", (3,), [random(3)])
    model.graph.input.append(_make.make_tensor_value_info("c0", TensorProto.FLOAT, [3]))
    assert [port.name for port in read_graph(model).inputs] == ["x"]
    check(model)


def test_nodes_without_a_name_get_one() -> None:
    nodes = [node("Relu", ["x"], ["a"]), node("Relu", ["a"], ["y"], name="Relu_0")]
    graph = read_graph(model_of(nodes, {"x": (3,)}, ["y"]))
    assert [n.name for n in graph.nodes] == ["Relu_0_1", "Relu_0"]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [
                node("Relu", ["b"], ["a"], name="one"),
                node("Relu", ["a"], ["b"]),
                node("Relu", ["x"]),
            ],
            "Relu node 'one' is part of, or waits for, a cycle",
        ),
        ([node("Relu", ["nowhere"], name="one")], "Relu node 'one' reads 'nowhere'"),
        (
            [node("Relu", ["x"]), node("Exp", ["x"], name="two")],
            "'y', a result of Exp node 'two', is defined twice",
        ),
        ([node("Relu", ["x"], ["x"], name="one")], "'x', a result of Relu node 'one', is defined"),
        ([node("Relu", ["x"], ["z"])], "output 'y' is computed by no node"),
        ([node("", ["x"])], "has no operator type"),
    ],
)
def test_graphs_that_are_not_well_formed(nodes: list[onnx.NodeProto], message: str) -> None:
    with pytest.raises(HbirError, match=message) as error:
        export(model_of(nodes, {"x": (3,)}, ["y"]))
    assert str(error.value).startswith("net: ")


def test_names_that_are_given_twice() -> None:
    model = single("Relu", (3,))
    model.graph.input.append(model.graph.input[0])
    with pytest.raises(HbirError, match="two inputs are named 'x'"):
        export(model)
    model = single("Relu", (3,))
    model.graph.output.append(model.graph.output[0])
    with pytest.raises(HbirError, match="two outputs are named 'y'"):
        export(model)
    model = single("Add", (3,), [random(3)])
    model.graph.initializer.append(numpy_helper.from_array(random(3), "c0"))
    with pytest.raises(HbirError, match="two initializers are named 'c0'"):
        export(model)


def test_a_graph_without_outputs() -> None:
    with pytest.raises(HbirError, match="no outputs"):
        export(model_of([node("Relu", ["x"])], {"x": (3,)}, []))


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (node("Relu", ["x", "x"], name="n"), "Relu node 'n' is not valid"),
        (node("Gemm", ["x"], name="n"), "Gemm node 'n' is not valid"),
        (node("Softmax", ["x"], name="n", axis="last"), "Softmax node 'n' is not valid"),
        (node("Softmax", ["x"], name="n", axis=1.5), "Softmax node 'n' is not valid"),
        (node("Relu", ["x"], name="n", alpha=1.0), "Relu node 'n' is not valid"),
        (node("Transpose", ["x"], name="n", perm=[0, 0]), "Transpose node 'n'"),
        (node("MaxPool", ["x"], name="n", kernel_shape=[2]), "MaxPool node 'n'"),
        (node("Squeeze", ["x", "axes"], name="n"), "Squeeze node 'n'"),
    ],
)
def test_nodes_that_break_their_operators_rules(op: onnx.NodeProto, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        export(model_of([op], {"x": (3, 4)}, ["y"], {"axes": ints(5)}))


def test_inputs_that_are_no_tensors() -> None:
    model = single("Relu", (3,))
    sequence = _make.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [3])
    model.graph.input[0].CopyFrom(sequence)
    with pytest.raises(HbirError, match="input 'x' is a sequence_type, expected a tensor"):
        export(model)


def test_strings_are_refused() -> None:
    model = single("Identity", (3,))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    with pytest.raises(HbirError, match="input 'x'"):
        export(model)


def test_sparse_initializers_are_refused() -> None:
    model = single("Relu", (3,))
    values = numpy_helper.from_array(random(1), "s")
    model.graph.sparse_initializer.append(
        _make.make_sparse_tensor(values, numpy_helper.from_array(ints(1)), [3])
    )
    with pytest.raises(HbirError, match="initializer 's' is sparse"):
        export(model)
