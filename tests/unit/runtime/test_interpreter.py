"""The interpreter: values, liveness, the listener, and what it says when something doesn't fit."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from hbir.errors import HbirError
from hbir.ir.context import HbirContext, make_context
from hbir.ir.function import functions_of
from hbir.ir.text import parse_module
from hbir.kernels.types import Array
from hbir.runtime.interpreter import Listener, Plan, kernel_params, run

X = np.array([[1.0, -2.0], [3.0, -4.0]], np.float32)


def function_of(text: str) -> tuple[FuncOp, HbirContext]:
    """The only function of a text, with its context."""
    context = make_context()
    return functions_of(parse_module(text, context))[0], context


def run_text(text: str, *inputs: Array, listener: Listener | None = None) -> list[Array]:
    """The results of the only function of a text."""
    function, context = function_of(text)
    return run(function, inputs, context.weights, listener)


TWO_OPS = """
func.func @main(%x: tensor<2x2xf32> {hbir.name = "image"}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = hbir.relu %x {origin = #hbir.origin<"relu_out">} : tensor<2x2xf32>
  %c = hbir.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %1 = hbir.add %0, %c : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  func.return %1, %0 : tensor<2x2xf32>, tensor<2x2xf32>
}
"""


def test_results_in_order() -> None:
    total, relu = run_text(TWO_OPS, X)
    assert relu.tolist() == [[1, 0], [3, 0]]
    assert total.tolist() == [[11, 20], [13, 20]]


def test_the_listener_gets_every_named_tensor_in_order() -> None:
    heard: list[tuple[str, list[Any], str | None]] = []

    def listen(name: str, array: Array, op: Operation | None) -> None:
        heard.append((name, array.tolist(), op.name if op else None))

    run_text(TWO_OPS, X, listener=listen)
    assert heard == [
        ("image", X.tolist(), None),
        ("relu_out", [[1, 0], [3, 0]], "hbir.relu"),
    ]


def test_all_levels_share_the_interpreter() -> None:
    (result,) = run_text(
        """
        func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
          %q = qnt.quantize %x {scale = 0.5 : f32} : tensor<2x2xf32> to tensor<2x2xsi8>
          %t = hbir.transpose %q {dims = [1, 0]} : (tensor<2x2xsi8>) -> tensor<2x2xsi8>
          %s = hbir.constant dense<0.5> : tensor<1xf32>
          %y = qnt.dequantize %t, %s : (tensor<2x2xsi8>, tensor<1xf32>) -> tensor<2x2xf32>
          func.return %y : tensor<2x2xf32>
        }
        """,
        X,
    )
    np.testing.assert_array_equal(result, X.T)


def test_tensors_of_rank_0_stay_arrays() -> None:
    (result,) = run_text(
        """
        func.func @main(%x: tensor<f32>) -> tensor<f32> {
          %y = hbir.exp %x : tensor<f32>
          func.return %y : tensor<f32>
        }
        """,
        np.array(0.0, np.float32),
    )
    assert isinstance(result, np.ndarray)
    assert result.shape == ()
    result[...] = 5.0


def test_cpu_ops_with_several_results() -> None:
    heard: list[str] = []
    values, indices = run_text(
        """
        func.func @main(%x: tensor<2x2xf32>) -> (tensor<2x1xf32>, tensor<2x1xsi64>) {
          %k = hbir.constant dense<1> : tensor<1xsi64>
          %v, %i = hbtl.call "onnx::TopK"(%x, %k) {
            parameters = {attributes = {axis = 1, largest = 0}, domain = "", opset = 13},
            origin = #hbir.origin<"smallest">
          } : (tensor<2x2xf32>, tensor<1xsi64>) -> (tensor<2x1xf32>, tensor<2x1xsi64>)
          func.return %v, %i : tensor<2x1xf32>, tensor<2x1xsi64>
        }
        """,
        X,
        listener=lambda name, array, op: heard.append(name),
    )
    assert values.tolist() == [[-2], [-4]]
    assert indices.tolist() == [[1], [1]]
    assert heard[1:] == ["smallest", "smallest:1"]


def test_tensor_attributes_of_cpu_ops() -> None:
    (result,) = run_text(
        """
        func.func @main() -> tensor<2xf32> {
          %y = hbtl.call "onnx::Constant"() {
            parameters = {attributes = {value = dense<[1.5, 2.5]> : tensor<2xf32>},
                          domain = "", opset = 13}
          } : () -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }
        """
    )
    assert result.tolist() == [1.5, 2.5]


def test_values_are_freed_when_dead() -> None:
    """While an op runs, the values that no later op needs are gone."""
    chain = "".join(
        f'  %{i + 1} = hbir.exp %{i} {{origin = #hbir.origin<"t{i + 1}">}} : tensor<64xf32>\n'
        for i in range(6)
    )
    text = f"""
func.func @main(%0: tensor<64xf32>) -> tensor<64xf32> {{
{chain}  func.return %6 : tensor<64xf32>
}}
"""
    alive: list[weakref.ref[Array]] = []
    counts: list[int] = []

    def listen(name: str, array: Array, op: Operation | None) -> None:
        if op is not None:
            alive.append(weakref.ref(array))
            counts.append(sum(ref() is not None for ref in alive))

    run_text(text, np.zeros(64, np.float32), listener=listen)
    gc.collect()
    assert max(counts) == 2  # an op's operand and its result
    assert len(counts) == 6


def test_results_share_no_memory_with_inputs_and_constants() -> None:
    text = """
    func.func @main(%x: tensor<2x2xf32>) -> (tensor<4xf32>, tensor<2xf32>, tensor<2x2xf32>) {
      %0 = hbir.reshape %x {shape = [4]} : (tensor<2x2xf32>) -> tensor<4xf32>
      %c = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
      func.return %0, %c, %x : tensor<4xf32>, tensor<2xf32>, tensor<2x2xf32>
    }
    """
    function, context = function_of(text)
    plan = Plan(function, context.weights)
    x = X.copy()
    for result in plan.run([x]):
        result[...] = 99.0
    np.testing.assert_array_equal(x, X)
    again = plan.run([x])
    assert again[1].tolist() == [1, 2]
    np.testing.assert_array_equal(again[0], X.reshape(4))


def test_a_plan_runs_again_on_other_inputs() -> None:
    function, context = function_of(TWO_OPS)
    plan = Plan(function, context.weights)
    first = plan.run([X])[1]
    second = plan.run([-X])[1]
    assert first.tolist() == [[1, 0], [3, 0]]
    assert second.tolist() == [[0, 2], [0, 4]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], r"function @main takes 1 inputs \(image\), got 0"),
        ([X[:1]], r"input image of function @main must be float32\[2, 2\], got float32\[1, 2\]"),
        ([X.astype(np.float64)], r"must be float32\[2, 2\], got float64\[2, 2\]"),
    ],
)
def test_wrong_inputs_are_said(inputs: list[Array], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        run_text(TWO_OPS, *inputs)


def test_an_op_that_cannot_be_evaluated_is_said() -> None:
    context = make_context(allow_unregistered=True)
    text = """
    func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
      %y = "test.op"(%x) : (tensor<2xf32>) -> tensor<2xf32>
      func.return %y : tensor<2xf32>
    }
    """
    function = functions_of(parse_module(text, context))[0]
    with pytest.raises(HbirError, match="only ops of hbir, bpu, qnt, hbtl have kernels"):
        Plan(function, context.weights)
    with pytest.raises(HbirError, match="can't be evaluated"):
        kernel_params(next(iter(function.body.block.ops)), context.weights)


def test_a_result_that_its_type_does_not_say_is_an_error() -> None:
    text = """
    func.func @main(%x: tensor<2x2xf32>) -> tensor<4xf32> {
      %y = hbtl.call "onnx::Relu"(%x) {
        parameters = {attributes = {}, domain = "", opset = 13}, origin = #hbir.origin<"out">
      } : (tensor<2x2xf32>) -> tensor<4xf32>
      func.return %y : tensor<4xf32>
    }
    """
    message = r'hbtl.call \("out" at .*\): result 0 is declared as float32\[4\]'
    with pytest.raises(HbirError, match=message):
        run_text(text, X)


def test_failures_of_cpu_ops_name_the_op() -> None:
    text = """
    func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %y = hbtl.call "onnx::MatMul"(%x, %x) {
        parameters = {attributes = {}, domain = "", opset = 13}, origin = #hbir.origin<"out">
      } : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      func.return %y : tensor<2x3xf32>
    }
    """
    with pytest.raises(HbirError, match=r'hbtl.call \("out" at .*\): onnx::MatMul fails on'):
        run_text(text, np.zeros((2, 3), np.float32))
