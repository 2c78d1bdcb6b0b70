"""Whole models, what becomes of nodes without BPU form, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hbir.frontends.errors import UnsupportedError
from hbir.frontends.onnx.importer import import_model
from hbir.ir.origin import origin_of_op
from hbir.onnx import export
from tests.models.float_reference import FloatReference
from tests.models.packages import ModelMissing
from tests.models.ppocr import DETECTION, DIRECTION, RECOGNITION, OcrModel
from tests.unit.frontends.onnx.oracle import (
    Array,
    check,
    count,
    cpu_operators,
    feeds_of,
    model_of,
    node,
    random,
    reasons,
    single,
)

_make: Any = helper

LIGHT = sorted((Path(onnx.__file__).parent / "backend/test/data/light").glob("*.onnx"))
TRANSPOSES = {"light_shufflenet": 17}  # its 16 shuffles; else one of the input, LRN's apart


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_light_models(path: Path) -> None:
    module = export(path)
    operators = cpu_operators(module)
    assert set(operators) <= {"LRN"}
    expected = TRANSPOSES.get(path.stem, 1) + 2 * len(operators)
    assert count(module, "hbir.transpose") == expected


def test_there_are_nine_light_models() -> None:
    assert len(LIGHT) == 9


@pytest.mark.parametrize("name", ["light_squeezenet", "light_inception_v1"])
def test_light_models_compute_what_onnxruntime_does(name: str) -> None:
    (path,) = [path for path in LIGHT if path.stem == name]
    function = export(path).functions[0]
    feeds = feeds_of(function)
    for output, wanted in FloatReference(path)(feeds).items():
        np.testing.assert_allclose(function.feed(feeds)[output], wanted, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("model", "shape", "transposes", "cpu"),
    [
        (DIRECTION["v4"], (1, 3, 48, 192), 1, set[str]()),
        (DIRECTION["v5"], (1, 3, 48, 192), 1, set[str]()),
        (DETECTION["v4"], (1, 3, 96, 160), 1, set[str]()),
        (DETECTION["v5"], (1, 3, 96, 160), 1, set[str]()),
        (RECOGNITION["v4"], (1, 3, 48, 96), None, set[str]()),
    ],
    ids=["direction-v4", "direction-v5", "detection-v4", "detection-v5", "recognition-v4"],
)
def test_ppocr(
    model: OcrModel, shape: tuple[int, ...], transposes: int | None, cpu: set[str]
) -> None:
    try:
        path = model.path()
    except ModelMissing as error:
        pytest.skip(str(error))
    module = export(path, input_shapes=shape)
    assert set(cpu_operators(module)) == cpu
    assert transposes is None or count(module, "hbir.transpose") == transposes
    function = module.functions[0]
    feeds = feeds_of(function)
    for name, wanted in FloatReference(path)(feeds).items():
        np.testing.assert_allclose(function.feed(feeds)[name], wanted, rtol=1e-3, atol=1e-5)


def test_inputs_and_outputs_keep_names_shapes_and_layouts() -> None:
    nodes = [node("Conv", ["in/put:0", "w"], ["a b"])]
    model = model_of(nodes, {"in/put:0": (1, 3, 6, 8)}, ["a b"], {"w": random(4, 3, 3, 3)})
    function = check(model).functions[0]
    assert [(p.name, p.type.shape) for p in function.flatten_inputs] == [("in/put:0", (1, 3, 6, 8))]
    assert [(p.name, p.type.shape) for p in function.flatten_outputs] == [("a b", (1, 4, 4, 6))]


def test_the_function_is_named_after_the_graph_or_as_told() -> None:
    assert export(single("Relu", (3,))).functions[0].name == "net"
    assert export(single("Relu", (3,)), name="my model").functions[0].name == "my_model"


def test_every_named_tensor_can_be_compared_in_the_source_layout() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"], name="first", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"], name="second"),
        node("Add", ["b", "c"], ["d"], name="third"),
        node("MaxPool", ["d"], ["y"], name="fourth", kernel_shape=[2, 2]),
    ]
    constants = {"w": random(4, 3, 3, 3), "c": random(4, 1, 1)}
    model = model_of(nodes, {"x": (1, 3, 6, 8)}, ["a", "b", "d", "y"], constants)
    module = export(model)
    function = module.functions[0]
    feeds = feeds_of(function)
    wanted = FloatReference(model)(feeds)
    seen: set[str] = set()

    def listener(name: str, array: Array, op: Any) -> None:
        if op is None or name not in wanted:
            return
        origin = origin_of_op(op)
        assert origin is not None
        perm = origin.perm or tuple(range(array.ndim))
        source = array.transpose(np.argsort(perm))
        np.testing.assert_allclose(source, wanted[name], rtol=1e-4, atol=1e-5)
        seen.add(name)

    function.feed(feeds, listener)
    assert seen == {"a", "b", "d", "y"}
    nodes_of = [origin_of_op(op) for op in function.operations if op.name == "hbir.conv2d"]
    assert nodes_of[0] is not None
    assert [(n.name, n.type) for n in nodes_of[0].nodes] == [("first", "Conv")]


def test_a_node_without_bpu_form_is_a_cpu_op_in_the_source_layout() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("LRN", ["a"], ["b"], size=3),
        node("Conv", ["b", "v"], ["y"]),
    ]
    constants = {"w": random(4, 3, 1, 1), "v": random(2, 4, 1, 1)}
    module = check(model_of(nodes, {"x": (1, 3, 6, 8)}, ["y"], constants), on_cpu=["LRN"])
    assert reasons(module) == ["LRN has no BPU form"]


@pytest.mark.parametrize(
    ("op", "constraint"),
    [
        (node("Fancy", ["x"], name="n"), "ONNX defines no operator Fancy in opset 17"),
        (
            node("FusedConv", ["x"], name="n", domain="com.microsoft"),
            "ONNX defines no operator FusedConv of domain 'com.microsoft'",
        ),
        (node("NonZero", ["x"], name="n"), "the shape of its result 'y' is not known"),
        (node("RandomNormalLike", ["x"], name="n"), "random numbers differ from run to run"),
        (node("SequenceConstruct", ["x"], name="n"), "the shape of its result 'y' is not known"),
    ],
    ids=lambda value: value.op_type if isinstance(value, onnx.NodeProto) else "",
)
def test_what_cannot_be_run_at_all_is_refused(op: onnx.NodeProto, constraint: str) -> None:
    model = model_of([op], {"x": (3, 4)}, ["y"])
    model.opset_import.append(_make.make_opsetid("com.microsoft", 1))
    with pytest.raises(UnsupportedError) as error:
        export(model)
    assert f"net: {op.op_type} node 'n' is not supported: {constraint}" in str(error.value)


def test_nodes_that_no_output_needs_are_left_out() -> None:
    nodes = [node("Relu", ["x"], ["y"]), node("NonZero", ["x"], ["z"])]
    assert export(model_of(nodes, {"x": (3,)}, ["y"])).functions[0].statistics() == {"hbir.relu": 1}


def branches(condition: onnx.NodeProto) -> onnx.ModelProto:
    """y = relu(x) if the condition holds, else exp(x) · k with an inner constant."""
    out = [_make.make_tensor_value_info("r", TensorProto.FLOAT, [3])]
    then = _make.make_graph([node("Relu", ["x"], ["r"])], "then", [], out)
    inner = [node("Exp", ["x"], ["e"]), node("Mul", ["e", "k"], ["r"])]
    k = onnx.numpy_helper.from_array(np.array(2, np.float32), "k")
    other = _make.make_graph(inner, "else", [], out, [k])
    choice = node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other)
    return model_of([condition, choice], {"x": (3,)}, ["y"])


@pytest.mark.parametrize("holds", [True, False])
def test_an_if_with_a_constant_condition_is_its_branch(holds: bool) -> None:
    value = onnx.numpy_helper.from_array(np.array(holds))
    module = check(branches(node("Constant", [], ["c"], value=value)))
    assert count(module, "hbir.relu") == int(holds)


def test_an_if_whose_condition_is_computed_is_refused() -> None:
    nodes = [node("ReduceMax", ["x"], ["m"], keepdims=0), node("Cast", ["m"], ["c"], to=9)]
    model = branches(nodes[1])
    model.graph.node.insert(0, nodes[0])
    with pytest.raises(UnsupportedError, match="If node 'choice' is not supported: control flow"):
        export(model)


def test_an_output_may_be_an_input_or_a_constant() -> None:
    nodes = [node("Identity", ["x"], ["y"]), node("Constant", [], ["z"], value_floats=[1.0, 2.0])]
    check(model_of(nodes, {"x": (3,)}, ["y", "z"]))


def test_import_alone_leaves_a_transpose_around_each_layout_bound_op() -> None:
    nodes = [node("Conv", ["x", "w"], ["a"]), node("MaxPool", ["a"], ["y"], kernel_shape=[2, 2])]
    model = model_of(nodes, {"x": (1, 3, 6, 8)}, ["y"], {"w": random(4, 3, 1, 1)})
    assert count(import_model(model), "hbir.transpose") == 4
    assert count(export(model), "hbir.transpose") == 2


def test_the_same_model_gives_the_same_text() -> None:
    model = single("Conv", (1, 3, 6, 8), [random(4, 3, 1, 1)])
    assert export(model).asm(elide=False) == export(model).asm(elide=False)


def test_an_attribute_that_nothing_reads_is_not_passed_over() -> None:
    names = ["q", "k", "v"]
    nodes = [node("Attention", names, left_window_size=2)]
    module = export(model_of(nodes, dict.fromkeys(names, (1, 2, 4, 8)), ["y"], opset=25))
    assert reasons(module) == ["Attention: its attribute left_window_size must not be used"]
