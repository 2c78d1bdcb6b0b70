"""CPU ops: ONNX operators of any opset, and kernels of hbir."""

import onnx
import pytest
from onnx import TensorProto, helper
from xdsl.dialects.builtin import StringAttr

from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.hbtl import make_native_call
from hbir.errors import HbirError
from hbir.exporters.onnx.exporter import export_module
from hbir.ir.types import tensor
from hbir.onnx import export
from tests.unit.exporters.onnx.oracle import Net, compare, numbers, operators


def model_of(node: onnx.NodeProto, opset: int) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 6, 4])]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "g", ports, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def test_an_operator_keeps_its_name() -> None:
    node = helper.make_node("Hardmax", ["x"], ["y"], name="norm", axis=1)
    module = export(model_of(node, 17))
    model = export_module(module)
    compare(model, module, [numbers((2, 6, 4), 0)])
    assert model.graph.node[-1].name == "norm"


def test_an_operator_of_an_old_opset_is_converted() -> None:
    node = helper.make_node("Hardmax", ["x"], ["y"], name="h", axis=1)
    module = export(model_of(node, 11))
    compare(export_module(module), module, [numbers((2, 6, 4), 0)])


def test_an_operator_of_a_newer_opset_raises_the_files() -> None:
    node = helper.make_node("Hardmax", ["x"], ["y"], name="h", axis=1)
    assert export_module(export(model_of(node, 13))).opset_import[0].version == 19
    grid = helper.make_node("AffineGrid", ["x", "size"], ["y"], name="grid")
    graph = helper.make_graph(
        [grid],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 3])],
        [helper.make_empty_tensor_value_info("y")],
        [helper.make_tensor("size", TensorProto.INT64, [4], [1, 1, 4, 4])],
    )
    opsets = [helper.make_opsetid("", 20)]
    model = export_module(export(helper.make_model(graph, opset_imports=opsets)))
    assert model.opset_import[0].version == 20


def test_a_kernel_of_hbir_is_exported_as_its_op() -> None:
    net = Net(numbers((2, 3, 4), 0))
    softmax = SoftmaxOp.make(net.inputs[0], dim=1)
    call = make_native_call(softmax, reason="test")
    softmax.erase()
    net.place(call)
    assert operators(net.check(call.results[0])) == ["Softmax"]


def test_what_has_no_form_is_named() -> None:
    net = Net(numbers((2, 3), 0))
    softmax = SoftmaxOp.make(net.inputs[0])
    call = make_native_call(softmax, reason="test")
    softmax.erase()
    call.properties["signature"] = StringAttr("native::bpu.softmax")
    net.place(call)
    assert call.results[0].type == tensor((2, 3))
    with pytest.raises(HbirError, match=r"bpu\.softmax.*ONNX"):
        export_module(net.module(call.results[0]))
