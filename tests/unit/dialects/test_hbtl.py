"""CPU calls as frontends and placement make them, and what they compute."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import TypeAlias

import numpy as np
import pytest
from onnx import helper, numpy_helper
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, SSAValue

from hbir.dialects.hbir.activation import LeakyReluOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbtl import CallOp, make_call, make_native_call, make_onnx_call
from hbir.errors import HbirError
from hbir.ir.context import HbirContext, make_context
from hbir.ir.function import finish_function, functions_of, make_function
from hbir.ir.origin import Origin, origin_of_op
from hbir.ir.text import parse_module, print_module
from hbir.ir.types import F32, SI8, SI64, element_type, tensor
from hbir.ir.verify import verify_module
from hbir.kernels.types import Array
from hbir.runtime.interpreter import run

X = np.array([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]], np.float32)
T23 = tensor((2, 3), F32)


@pytest.fixture
def context() -> HbirContext:
    """A context with an empty weight store."""
    return make_context()


Maker: TypeAlias = Callable[[list[SSAValue]], CallOp]


def result_of(context: HbirContext, make: Maker, *arrays: Array) -> list[Array]:
    """Results of a function around the call that `make(values)` makes, before and after text."""
    inputs = [(f"x{i}", tensor(a.shape, element_type(a.dtype))) for i, a in enumerate(arrays)]
    function, block = make_function("main", inputs)
    call = make(list(block.args))
    block.add_op(call)
    finish_function(function, [(f"y{i}", value) for i, value in enumerate(call.results)])
    module = ModuleOp([function])
    verify_module(module)
    results = run(function, arrays, context.weights)
    text = StringIO()
    print_module(module, text, context.weights)
    fresh = make_context()
    again = functions_of(parse_module(text.getvalue(), fresh))[0]
    for result, other in zip(results, run(again, arrays, fresh.weights), strict=True):
        np.testing.assert_array_equal(result, other)
    return results


def test_onnx_node(context: HbirContext) -> None:
    node = helper.make_node("TopK", ["a", "k"], ["v", "i"], axis=0, largest=0)

    def make(values: list[SSAValue]) -> CallOp:
        types: list[Attribute | None] = [tensor((1, 3), F32), tensor((1, 3), SI64)]
        origin = Origin("v")
        call = make_onnx_call(
            node,
            values,
            types,
            opset=13,
            weights=context.weights,
            reason="no BPU form",
            origin=origin,
        )
        assert origin_of_op(call) == origin
        assert call.reason.data == "no BPU form"
        assert (call.library, call.function) == ("onnx", "TopK")
        return call

    values, indices = result_of(context, make, X, np.array([1]))
    assert values.tolist() == [[-4, -2, -6]]
    assert indices.tolist() == [[1, 0, 1]]


def test_onnx_node_with_every_kind_of_attribute(context: HbirContext) -> None:
    table = np.arange(40, dtype=np.float32).reshape(8, 5)
    constant = helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(table))
    (result,) = result_of(
        context,
        lambda _: make_onnx_call(
            constant, [], [tensor((8, 5), F32)], opset=13, weights=context.weights, reason="-"
        ),
    )
    np.testing.assert_array_equal(result, table)
    labels = helper.make_node(
        "LabelEncoder",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        keys_int64s=[3, 5],
        values_floats=[0.1, 2.5],
        default_float=-1.5,
    )
    (result,) = result_of(
        context,
        lambda values: make_onnx_call(
            labels, values, [tensor((3,), F32)], opset=2, weights=context.weights, reason="-"
        ),
        np.array([5, 3, 4]),
    )
    np.testing.assert_array_equal(result, np.array([2.5, 0.1, -1.5], np.float32))


def test_onnx_node_without_its_optional_ports(context: HbirContext) -> None:
    node = helper.make_node("Clip", ["x", "", "high"], ["y"])
    (result,) = result_of(
        context,
        lambda values: make_onnx_call(
            node,
            [values[0], None, values[1]],
            [T23],
            opset=13,
            weights=context.weights,
            reason="-",
        ),
        X,
        np.array(2.0, np.float32),
    )
    np.testing.assert_array_equal(result, np.minimum(X, 2.0))
    top = helper.make_node("TopK", ["x", "k"], ["", "i"])
    (indices,) = result_of(
        context,
        lambda values: make_onnx_call(
            top,
            values,
            [None, tensor((2, 1), SI64)],
            opset=13,
            weights=context.weights,
            reason="-",
        ),
        X,
        np.array([1]),
    )
    assert indices.tolist() == [[2], [1]]


def test_attributes_without_a_form_are_refused(context: HbirContext) -> None:
    graph = helper.make_graph([], "body", [], [])
    node = helper.make_node("If", ["c"], ["y"], name="branch", then_branch=graph)
    with pytest.raises(HbirError, match=r"node branch \(If\): attribute then_branch of type GRAPH"):
        make_onnx_call(node, [], [T23], opset=13, weights=context.weights, reason="-")


def test_native_call_computes_what_the_op_does(context: HbirContext) -> None:
    def make(values: list[SSAValue]) -> CallOp:
        return make_native_call(LeakyReluOp.make(values[0], slop=0.25), reason="slope")

    (result,) = result_of(context, make, X)
    np.testing.assert_array_equal(result, np.where(X > 0, X, X * 0.25))


def test_native_call_of_an_op_whose_kernel_takes_the_dtype(context: HbirContext) -> None:
    def make(values: list[SSAValue]) -> CallOp:
        return make_native_call(CastTypeOp.make(values[0], element=SI8), reason="cast")

    (result,) = result_of(context, make, X)
    assert result.dtype == np.int8


def test_unknown_libraries_are_refused() -> None:
    with pytest.raises(HbirError, match="signature must be"):
        make_call("torch::relu", [], [T23], {}, reason="-")
