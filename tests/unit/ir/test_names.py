"""Names of SSA values: readable where they can be, and none where xDSL can't hold them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

import hbir
from hbir.ir.names import valid_name, value_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [("conv/out:0", "conv_out_0"), ("12", None), ("/0", None), ("%1", None), ("a_0", "a_0")],
)
def test_a_tensor_name_as_that_of_a_value(name: str, shown: str | None) -> None:
    assert value_name(name) == shown
    assert valid_name("/0") is valid_name("_7") is None


def test_tensors_may_be_called_by_numbers_alone() -> None:
    """In every pass: some give a value the name of another."""
    nodes = [helper.make_node("Relu", ["%0"], ["/1"], "a"), helper.make_node("Neg", ["/1"], ["_2"])]
    x, y = (helper.make_tensor_value_info(name, 1, (1, 4, 4, 8)) for name in ("%0", "_2"))
    graph = helper.make_graph(nodes, "g", [x], [y])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    module = hbir.onnx.export(proto)
    module.functions[0].flatten_inputs[0].insert_image_preprocess("skip", 1)
    data = np.full((1, 4, 4, 8), 3, np.int8)
    calibrated = hbir.calibrate(module, [{"%0": data}])
    (result,) = hbir.convert(calibrated, "nash-e").functions[0].feed({"%0": data}).values()
    np.testing.assert_allclose(result, np.full(data.shape, -131.0), rtol=0.01)
