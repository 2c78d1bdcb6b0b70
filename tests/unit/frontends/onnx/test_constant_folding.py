"""What is known while importing is not computed at run time."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from hbir.errors import HbirError
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import check, count, ints, model_of, node, random

CHAIN = [
    node("Shape", ["x"], ["n"]),
    node("Gather", ["n", "i"], ["batch"], axis=0),
    node("Slice", ["n", "one", "three"], ["hw"]),
    node("Cast", ["hw"], ["f"], to=TensorProto.FLOAT),
    node("Mul", ["f", "two"], ["g"]),
    node("Floor", ["g"], ["h"]),
    node("Cast", ["h"], ["k"], to=TensorProto.INT64),
    node("ReduceProd", ["k"], ["p"], keepdims=0),
    node("Div", ["p", "four"], ["q"]),
    node("Unsqueeze", ["batch", "zero"], ["b"]),
    node("Unsqueeze", ["q", "zero"], ["c"]),
    node("Concat", ["b", "c"], ["shape"], axis=0),
    node("Reshape", ["x", "shape"], ["y"]),
]
CONSTANTS = {
    "i": np.array(0, np.int64),
    "one": ints(1),
    "three": ints(3),
    "two": np.array(2, np.float32),
    "four": np.array(4, np.int64),
    "zero": ints(0),
}


def test_a_chain_from_shape_to_reshape() -> None:
    model = model_of(CHAIN, {"x": ("n", "h", "w")}, ["y"], CONSTANTS, opset=13)
    module = check(model, input_shapes=(2, 3, 4))
    assert module.functions[0].statistics() == {"hbir.reshape": 1}
    assert module.functions[0].flatten_outputs[0].type.shape == (2, 12)


@pytest.mark.parametrize("opset", [9, 11, 13, 17])
def test_old_forms_of_operators_are_evaluated(opset: int) -> None:
    axes = opset < 13
    nodes = [
        node("ConstantOfShape", ["n"], ["a"]),
        node(
            "Unsqueeze", ["a"] if axes else ["a", "one"], ["b"], **({"axes": [1]} if axes else {})
        ),
        node("Add", ["x", "b"], ["y"]),
    ]
    constants = {"n": ints(3), "one": ints(1)}
    module = check(model_of(nodes, {"x": (3, 4)}, ["y"], constants, opset))
    assert count(module, "hbir.constant") == 1


def test_every_kind_of_constant_node() -> None:
    values = {
        "value_float": 1.5,
        "value_floats": [1.0, 2.0, 3.0],
        "value": onnx.numpy_helper.from_array(random(3)),
    }
    nodes: list[onnx.NodeProto] = []
    last = "x"
    for index, (key, value) in enumerate(values.items()):
        nodes.append(node("Constant", [], [f"c{index}"], **{key: value}))
        nodes.append(node("Add", [last, f"c{index}"], [f"a{index}"]))
        last = f"a{index}"
    check(model_of(nodes, {"x": (2, 3)}, [last]))


def test_constants_without_a_number_are_refused() -> None:
    nodes = [node("Constant", [], ["c"], value_string="hi", name="k"), node("Identity", ["c"])]
    with pytest.raises(HbirError, match="Constant node 'k' must have a numeric value"):
        export(model_of(nodes, {}, ["y"]))


@pytest.mark.parametrize(
    "op",
    [
        node("ConstantOfShape", ["n"], ["c"], name="big"),
        node("Expand", ["one", "n"], ["c"], name="big"),
        node("Tile", ["line", "n"], ["c"], name="big"),
    ],
    ids=lambda op: op.op_type,
)
def test_allocation_bombs_are_refused(op: onnx.NodeProto) -> None:
    constants = {"n": ints(2**20, 2**20), "one": random(1, 1), "line": random(1, 1)}
    nodes = [op, node("Add", ["x", "c"])]
    with pytest.raises(HbirError, match=r"node 'big'.*would take"):
        export(model_of(nodes, {"x": (1,)}, ["y"], constants))


def test_a_graph_of_constants() -> None:
    nodes = [node("Constant", [], ["c"], value_floats=[1.0, 2.0]), node("Exp", ["c"], ["y"])]
    module = check(model_of(nodes, {}, ["y"]))
    assert module.functions[0].statistics() == {"hbir.constant": 1}


def test_random_numbers_are_not_folded() -> None:
    nodes = [
        node("RandomNormalLike", ["c"], ["r"], name="noise"),
        node("Add", ["x", "r"], ["y"]),
    ]
    with pytest.raises(HbirError, match="RandomNormalLike node 'noise' is not supported"):
        export(model_of(nodes, {"x": (3,)}, ["y"], {"c": random(3)}))
