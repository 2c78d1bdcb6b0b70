"""Average pooling against onnxruntime's float32, within its bound; maxima exactly."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from hbir.kernels.float16.pool import float_avg_pool
from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.integer.pool import max_pool
from tests.models.float_reference import FloatReference

Array = np.ndarray[Any, Any]


def by_onnxruntime(op: str, x: Array, **attributes: Any) -> Array:
    """An ONNX pool of a channel-last array."""
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in ("x", "y")
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=8)
    found = FloatReference(model)({"x": x.astype(np.float32).transpose(0, 3, 1, 2)})
    return found["y"].transpose(0, 2, 3, 1)


@given(
    st.integers(0, 10_000),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
)
def test_pools_are_onnxruntimes(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int], include: bool
) -> None:
    random = np.random.default_rng(seed)
    x = to_float16(random.normal(0, 30, (2, 7, 8, 3)))
    pad = [int(random.integers(0, k)) for k in (*kernel, *kernel)]
    attributes = {"kernel_shape": kernel, "strides": stride, "pads": pad}
    wanted = by_onnxruntime("AveragePool", x, **attributes, count_include_pad=int(include))
    found = float_avg_pool(x, kernel=kernel, stride=stride, pad=pad, count_include_pad=include)
    magnitude = by_onnxruntime("AveragePool", abs(x), **attributes, count_include_pad=int(include))
    bound = 2.0**-11 * np.abs(wanted) + (sum(kernel) + 16) * 2.0**-24 * magnitude + 2.0**-25
    assert np.all(np.abs(found - wanted) <= bound * (1 + 2.0**-9))
    largest = max_pool(x, kernel=kernel, stride=stride, pad=pad)
    assert largest.dtype == np.float16
    np.testing.assert_array_equal(largest, by_onnxruntime("MaxPool", x, **attributes))
