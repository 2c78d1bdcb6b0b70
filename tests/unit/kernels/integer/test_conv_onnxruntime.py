"""bpu.conv2d beside onnxruntime's QLinearConv, which requantizes in float32: at most one step apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hbir.kernels.integer.conv import conv2d
from hbir.kernels.parameters import conv_qpp

Array = npt.NDArray[Any]


def qlinear_conv(x: Array, operands: dict[str, Array], **attributes: Any) -> Array:
    """onnxruntime's result on NCHW x; `operands` are the node's other inputs, in their order."""
    node = helper.make_node("QLinearConv", ["x", *operands], ["y"], **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.INT8, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.INT8, None)],
        [numpy_helper.from_array(array, name) for name, array in operands.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session: Any = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize(("groups", "stride", "pads"), [(1, 1, (1, 1, 1, 1)), (4, 2, (0, 1, 2, 1))])
@pytest.mark.parametrize("zero_point", [0, -17])
def test_at_most_one_step_apart(
    groups: int, stride: int, pads: tuple[int, int, int, int], zero_point: int
):
    generator = np.random.default_rng(groups)
    x = generator.integers(-128, 128, (2, 12, 12, 16)).astype(np.int8)
    w = generator.integers(-60, 61, (8, 3, 3, 16 // groups)).astype(np.int8)
    scales = generator.uniform(0.001, 0.004, 8).astype(np.float32)
    input_scale, output_scale, output_zero = 0.03, 0.06, 9
    bias = generator.normal(0, 1, 8)
    qpp = conv_qpp(
        w,
        scales,
        bias=bias,
        input_scale=input_scale,
        output_scale=output_scale,
        input_zero_point=zero_point,
    )
    got = conv2d(
        x,
        w,
        qpp,
        stride=(stride, stride),
        pad=pads,
        group_num=groups,
        pad_value=zero_point,
        output_zero_point=output_zero,
    )
    expected = qlinear_conv(
        np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
        {
            "x_scale": np.array(input_scale, np.float32),
            "x_zero": np.array(zero_point, np.int8),
            "w": np.ascontiguousarray(w.transpose(0, 3, 1, 2)),
            "w_scale": scales,
            "w_zero": np.zeros(8, np.int8),
            "y_scale": np.array(output_scale, np.float32),
            "y_zero": np.array(output_zero, np.int8),
            "bias": np.rint(bias / (scales.astype(np.float64) * input_scale)).astype(np.int32),
        },
        group=groups,
        strides=[stride, stride],
        pads=list(pads),
    ).transpose(0, 2, 3, 1)
    assert len(np.unique(expected)) > 60, "the case must exercise the output's range"
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= 1
    assert np.mean(difference == 0) > 0.99
