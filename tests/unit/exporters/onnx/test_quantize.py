"""Fake-quants as markers and as integers, of all widths, per tensor and per channel."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.qnt import ConstFakeQuantOp, DequantizeOp, QuantizeOp
from hbir.exporters.onnx.exporter import export_module
from hbir.ir.types import SI8, SI16
from hbir.kernels.quantize import scales_and_zero_points
from tests.unit.exporters.onnx.oracle import Net, compare, numbers, operators, seeds


@given(
    bits=st.integers(2, 16),
    narrow=st.booleans(),
    per_channel=st.booleans(),
    quantized=st.booleans(),
    ends=st.lists(st.tuples(st.floats(-3, 0), st.floats(0.01, 3)), min_size=5, max_size=5),
    seed=seeds,
)
@settings(max_examples=60)
def test_fake_quants(
    bits: int,
    narrow: bool,
    per_channel: bool,
    quantized: bool,
    ends: list[tuple[float, float]],
    seed: int,
) -> None:
    ranges = ends if per_channel else ends[:1]
    parameters: dict[str, Any] = {
        "bits": bits,
        "min": [low for low, _ in ranges],
        "max": [high for _, high in ranges],
        "narrowRange": narrow,
        "axis": 3 if per_channel else None,
    }
    net = Net(numbers((2, 5, 3, 4), seed, 2.0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.op(ConstFakeQuantOp, x, **parameters)
    module = net.module(net.transposed(y, (0, 3, 1, 2)))
    model = export_module(module, quantized=quantized)
    assert model.opset_import[0].version == (21 if bits > 8 else 19)
    assert ("HzCalibration" in operators(model)) != quantized
    assert "Transpose" not in operators(model)
    scales, _ = scales_and_zero_points(
        bits, parameters["min"], parameters["max"], narrow_range=narrow
    )
    # Halves may fall to either side where 1/scale isn't exact.
    compare(model, module, net.arrays, steps=float(scales.max()))


@pytest.mark.parametrize("bits", [8, 16])
def test_weights_are_stored_as_integers(bits: int) -> None:
    net = Net(numbers((1, 3, 6, 6), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    w = numbers((4, 3, 3, 3), 1)
    largest = np.abs(w).max(axis=(1, 2, 3)).astype(float).tolist()
    weights = net.op(
        ConstFakeQuantOp,
        net.constant(w),
        bits=bits,
        min=[-value for value in largest],
        max=largest,
        axis=0,
        narrowRange=True,
    )
    module = net.module(net.transposed(net.op(Conv2dOp, x, weights), (0, 3, 1, 2)))
    model = export_module(module, quantized=True)
    compare(model, module, net.arrays)
    assert operators(model) == ["DequantizeLinear", "Conv"]
    kinds = {tuple(t.dims): t.data_type for t in model.graph.initializer}
    integers = onnx.TensorProto.INT8 if bits == 8 else onnx.TensorProto.INT16
    assert kinds[4, 3, 3, 3] == integers
    marked = export_module(module)
    compare(marked, module, net.arrays)
    assert operators(marked) == ["HzCalibration", "Conv"]


def test_a_marker_says_what_it_rounds_to() -> None:
    net = Net(numbers((3,), 0))
    module = net.module(net.op(ConstFakeQuantOp, net.inputs[0], min=[-1.0], max=[2.0]))
    model = export_module(module)
    (node,) = model.graph.node
    said = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert (node.domain, said["bits"], said["thresholds"]) == ("horizon", 8, [2.0])
    assert [function.name for function in model.functions] == ["HzCalibration"]


@pytest.mark.parametrize("element", [SI8, SI16])
def test_edges_of_a_quantized_module(element: Any) -> None:
    net = Net(numbers((2, 3), 0))
    q = net.op(QuantizeOp, net.inputs[0], scale=0.01, zeroPoint=3, element=element)
    scale = net.constant(np.array([0.01], np.float32))
    y = net.op(DequantizeOp, q, scale, zeroPoint=3)
    module = net.module(y)
    model = export_module(module)
    compare(model, module, net.arrays, steps=0.01)
