"""Names, and ONNX's own node tests: imported, optimized, exported, they give the same numbers."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hbir.dialects.hbir.activation import ReluOp
from hbir.dialects.hbir.conv import Conv2dOp
from hbir.errors import HbirError
from hbir.exporters.onnx.exporter import export_module
from hbir.exporters.onnx.registry import export_functions
from hbir.hb_runtime.onnx_runtime import make_session
from hbir.ir.origin import Node, Origin
from hbir.kernels.table import kernel_names
from hbir.onnx import export
from hbir.ptq.stages import optimized
from tests.unit.exporters.onnx.oracle import Net, numbers, operators
from tests.unit.frontends.onnx.test_registry import array, cases

EVERY = 10
"""Of ONNX's node tests; all of them take a minute."""

LEAST = 80
"""What passed when this was written."""

NOT_ONNXRUNTIME = (
    "batchwise",  # a layout of recurrent layers that it doesn't have
    "dropout",  # drawn anew each time
    "local_window",  # of an opset that it doesn't know
    "fp16",  # sums in another order
    "float16",
)
"""Parts of the names of cases that onnxruntime refuses or computes otherwise."""


def test_every_op_of_the_interpreter_has_a_form() -> None:
    missing = set(kernel_names("hbir")) - set(export_functions()) - {"hbir.constant"}
    assert not missing


def test_nodes_are_called_after_their_sources() -> None:
    net = Net(numbers((1, 3, 4, 4), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    nodes = (Node("Conv_0", "Conv"), Node("BN_1", "BatchNormalization"))
    origin = Origin("bn_out", (0, 2, 3, 1), nodes)
    y = net.op(Conv2dOp, x, net.constant(numbers((2, 1, 1, 3), 1)), origin=origin)
    step = Origin("relu_out#a", (), (Node("Relu_2", "Relu"),))
    z = net.op(ReluOp, y, origin=step)
    last = Origin("relu_out", (0, 2, 3, 1), (Node("Relu_2", "Relu"),))
    z = net.op(ReluOp, z, origin=last)
    model = net.check(net.transposed(net.op(ReluOp, z), (0, 3, 1, 2)))
    assert [node.name for node in model.graph.node[:3]] == ["Conv_0+BN_1", "Relu_2/relu", "Relu_2"]
    assert [node.output[0] for node in model.graph.node[:3:2]] == ["bn_out", "relu_out"]


def test_an_output_may_be_an_input_or_come_twice() -> None:
    net = Net(numbers((2, 3), 0))
    y = net.op(ReluOp, net.inputs[0])
    model = net.check(net.inputs[0], y, y, net.constant(numbers((2,), 1)))
    assert operators(model).count("Identity") == 3


@pytest.mark.parametrize("part", [0, 5])
def test_node_cases(part: int, record_property: Any) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for case in cases()[part::EVERY]:
        if any(name in case.name for name in NOT_ONNXRUNTIME):
            continue
        try:
            result = outcome(case)
            counts[result] += 1
            if result.startswith("not loaded"):
                failures.append(f"{case.name}: {result}")
        except AssertionError as error:
            failures.append(f"{case.name}: {error}")
    record_property("node cases", dict(counts))
    assert not failures, "\n".join(failures)
    assert counts["equal"] >= LEAST


def outcome(case: Any) -> str:
    """`refused` by the import, `unknown` to onnxruntime, `equal`; AssertionError otherwise."""
    inputs, _ = case.data_sets[0]
    named = {p.name: array(v) for p, v in zip(case.model.graph.input, inputs, strict=True)}
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    data = model.graph.input[0].name
    for port in list(model.graph.input)[1:]:
        if named[port.name].dtype.kind in "iub" or named[port.name].ndim == 0:
            model.graph.initializer.append(numpy_helper.from_array(named[port.name], port.name))
            model.graph.input.remove(port)
    feed = {port.name: named[port.name] for port in model.graph.input}
    assert data in feed
    try:
        module = optimized(export(model))
        wanted = module.functions[0].feed(feed)
    except HbirError:
        return "refused"
    exported = export_module(module)
    checker: Any = onnx.checker
    checker.check_model(exported)
    try:
        session = make_session(exported.SerializeToString(), case.name)
    except HbirError as error:
        known = any(part in str(error) for part in ("pset", "implementation", "INVALID_GRAPH"))
        return "unknown" if known else f"not loaded: {error}"
    for want, got in zip(wanted.values(), session.run(None, feed), strict=True):
        assert want.dtype == got.dtype
        finite = np.abs(want[np.isfinite(want)]) if want.dtype.kind == "f" else np.zeros(1)
        bound = 1e-4 * float(finite.max(initial=1e-3))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=bound)
    return "equal"
