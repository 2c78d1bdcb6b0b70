"""ONNX operators run by onnxruntime: the independent meaning that float kernels are held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import helper

from hbir.ir.op import TensorOp
from hbir.ir.types import element_type, tensor
from hbir.kernels.table import execute
from hbir.kernels.types import Array

_IR_VERSION = 10  # of opset 21


def run_onnx(
    operator: str,
    inputs: Sequence[Array | None],
    *,
    opset: int = 21,
    dtype: npt.DTypeLike | None = None,
    **attributes: Any,
) -> Array:
    """The first output of an ONNX operator; None stands for an optional input left out.

    `dtype` is the output's; without it, that of the first input.
    """
    given = [(f"x{index}", array) for index, array in enumerate(inputs) if array is not None]
    names = ["" if array is None else f"x{index}" for index, array in enumerate(inputs)]
    node = helper.make_node(operator, names, ["y"], **attributes)
    ports = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in given
    ]
    output_type = given[0][1].dtype if dtype is None else np.dtype(dtype)
    output = helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(output_type), None)
    graph = helper.make_graph([node], "one_node", ports, [output])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_IR_VERSION
    )
    runtime: Any = onnxruntime  # ships no types
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, dict(given))[0]


def channel_first(x: Array) -> Array:
    """(N, H, W, C) → (N, C, H, W)."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def channel_last(x: Array) -> Array:
    """(N, C, H, W) → (N, H, W, C)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def evaluate(op: type[TensorOp], operands: Sequence[Array], params: Mapping[str, Any]) -> Array:
    """The kernel's result, whose shape and dtype must be those that the op's inference gives."""
    result = execute(op.name, operands, params)
    types = [tensor(array.shape, element_type(array.dtype)) for array in operands]
    all_params = {**op.default_params(), **params}
    assert result.shape == op.infer_shape(types, all_params)
    element = op.infer_element(types, all_params)
    assert element is None or element_type(result.dtype) == element
    return result


def assert_close(actual: Array, expected: Array, *, rtol: float = 1e-5) -> None:
    """Equal to `rtol` of the largest magnitude: sums of many terms round against that."""
    assert actual.dtype == expected.dtype
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale)
