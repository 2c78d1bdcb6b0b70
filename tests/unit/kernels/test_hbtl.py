"""CPU ops: native kernels and ONNX operators, their attributes, omitted inputs and failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hbir.errors import HbirError
from hbir.kernels.hbtl import onnx_problem, split_signature
from hbir.kernels.table import execute, execute_all
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import run_onnx

FLOAT = np.dtype(np.float32)
X = np.array([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]], np.float32)


def call_onnx(
    operator: str,
    arrays: Sequence[Array],
    *,
    dtypes: Sequence[np.dtype[Any]] = (FLOAT,),
    opset: int = 17,
    domain: str = "",
    positions: dict[str, tuple[int, ...]] | None = None,
    **attributes: Any,
) -> tuple[Array, ...]:
    """All results of an ONNX operator run as a CPU op."""
    parameters = {
        "attributes": attributes,
        "domain": domain,
        "opset": opset,
        **(positions or {}),
    }
    params: dict[str, Any] = {
        "signature": f"onnx::{operator}",
        "parameters": parameters,
        "dtypes": dtypes,
    }
    return execute_all("hbtl.call", arrays, params)


def test_string_attribute() -> None:
    (result,) = call_onnx("Einsum", [X, X], equation="ij,kj->ik")
    np.testing.assert_allclose(result, X @ X.T)


def test_number_attributes() -> None:
    (result,) = call_onnx("Elu", [X], alpha=0.5)
    np.testing.assert_allclose(result, np.where(X > 0, X, 0.5 * np.expm1(X)), rtol=1e-6)
    (result,) = call_onnx("ReduceSum", [X, np.array([0])], keepdims=0)
    np.testing.assert_allclose(result, X.sum(0))


def test_list_attributes_may_be_empty() -> None:
    (result,) = call_onnx("Transpose", [X], perm=(1, 0))
    np.testing.assert_array_equal(result, X.T)
    (result,) = call_onnx("Constant", [], value_floats=())
    assert result.shape == (0,)


def test_tensor_attribute() -> None:
    (result,) = call_onnx("Constant", [], value=X)
    np.testing.assert_array_equal(result, X)


def test_inputs_and_outputs_may_be_left_out() -> None:
    high = np.array(2.0, np.float32)
    (result,) = call_onnx("Clip", [X, high], positions={"inputs": (0, -1, 1)})
    np.testing.assert_array_equal(result, np.minimum(X, 2.0))
    (indices,) = call_onnx(
        "TopK",
        [X, np.array([1])],
        dtypes=[np.dtype(np.int64)],
        positions={"outputs": (-1, 0)},
    )
    assert indices.tolist() == [[2], [1]]


def test_the_opset_decides() -> None:
    """Softmax flattened to two dimensions before opset 13."""
    x = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    (old,) = call_onnx("Softmax", [x], opset=11, axis=1)
    (new,) = call_onnx("Softmax", [x], opset=13, axis=1)
    np.testing.assert_allclose(old.sum(), 1.0, rtol=1e-6)
    np.testing.assert_allclose(new.sum(), 4.0, rtol=1e-6)


def test_results_have_the_declared_dtype() -> None:
    (result,) = call_onnx("Identity", [X.astype(np.float64)])
    assert result.dtype == np.float32


def test_other_domains() -> None:
    (result,) = call_onnx("Binarizer", [X], domain="ai.onnx.ml", opset=3, threshold=0.0)
    np.testing.assert_array_equal(result, (X > 0).astype(np.float32))


def test_native_kernels() -> None:
    params: dict[str, Any] = {
        "signature": "native::hbir.softmax",
        "parameters": {"dim": 0},
        "dtypes": (FLOAT,),
    }
    expected = execute("hbir.softmax", [X], {"dim": 0})
    np.testing.assert_array_equal(execute("hbtl.call", [X], params), expected)


def test_native_kernels_take_their_dtype_by_name() -> None:
    params: dict[str, Any] = {
        "signature": "native::hbir.cast_type",
        "parameters": {"dtype": "int8"},
        "dtypes": (np.dtype(np.int8),),
    }
    assert execute("hbtl.call", [X], params).dtype == np.int8


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2])
def test_softmax_of_old_opsets(operator: str, axis: int | None) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    (actual,) = call_onnx(operator, [x], opset=11, **attributes)
    expected = run_onnx(operator, [x], opset=11, **attributes)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("signature", ["torch::relu", "native:hbir.relu", "onnx::", ""])
def test_unknown_libraries(signature: str) -> None:
    with pytest.raises(HbirError, match=r"signature must be native::\.\.\. or onnx::\.\.\."):
        split_signature(signature)


def test_unknown_operators() -> None:
    with pytest.raises(HbirError, match=r"onnx::Konv .*can't be run on the CPU"):
        call_onnx("Konv", [X])
    parameters: dict[str, Any] = {"attributes": {}, "domain": "com.example", "opset": 1}
    assert "can't be run" in str(onnx_problem("Relu", [X], parameters, 1))
    parameters = {"attributes": {}, "domain": "", "opset": 13}
    assert onnx_problem("Relu", [X], parameters, 1) is None


def test_failures_name_operator_and_shapes() -> None:
    with pytest.raises(HbirError, match=r"onnx::MatMul fails on float32\[2, 3\], float32\[2, 3\]"):
        call_onnx("MatMul", [X, X])
