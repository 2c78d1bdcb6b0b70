"""Small generated models, and the comparison of their import with onnxruntime."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hbir.ir.origin import origin_of_op
from hbir.module import Function, Module
from hbir.onnx import export
from tests.models.float_reference import FloatReference

Array = np.ndarray[Any, Any]
_make: Any = helper  # its functions are typed only in part

OPSETS = (9, 11, 13, 17, 21, 23)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None] | None],
    outputs: Sequence[str],
    constants: Mapping[str, Array] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model with float inputs of the given shapes."""
    graph = _make.make_graph(
        list(nodes),
        "net",
        [_make.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [_make.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(a, n) for n, a in (constants or {}).items()],
    )
    model = _make.make_model(graph, opset_imports=[_make.make_opsetid("", opset)])
    model.ir_version = 8
    for output in model.graph.output:
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    return model


def node(
    op_type: str, inputs: Sequence[str], outputs: Sequence[str] = ("y",), **attributes: Any
) -> onnx.NodeProto:
    """A node."""
    return _make.make_node(op_type, list(inputs), list(outputs), **attributes)


def single(
    op_type: str,
    shape: Sequence[int],
    constants: Sequence[Array | None] = (),
    opset: int = 17,
    **attributes: Any,
) -> onnx.ModelProto:
    """One node of input x and constants; None leaves an optional input out."""
    names = ["" if c is None else f"c{i}" for i, c in enumerate(constants)]
    given = {n: c for n, c in zip(names, constants, strict=True) if c is not None}
    return model_of([node(op_type, ["x", *names], **attributes)], {"x": shape}, ["y"], given, opset)


def random(*shape: int, seed: int = 0) -> Array:
    """Normal float32 values."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ints(*values: int) -> Array:
    """A list of int64."""
    return np.array(values, np.int64)


def feeds_of(function: Function) -> dict[str, Array]:
    """Random values for a function's inputs."""
    return {
        port.name: random(*port.type.shape, seed=index)
        for index, port in enumerate(function.flatten_inputs)
    }


def check(
    model: onnx.ModelProto,
    *,
    on_cpu: Sequence[str] = (),
    input_shapes: Any = None,
    tolerance: float = 1e-4,
) -> Module:
    """Import `model`, run it, and compare each output with onnxruntime's.

    `on_cpu`: the operators that have to become CPU ops; all others have to have a BPU form.
    """
    module = export(model, input_shapes=input_shapes)
    module.verify()
    function = module.functions[0]
    assert cpu_operators(module) == sorted(on_cpu)
    feeds = feeds_of(function)
    wanted = FloatReference(model)(feeds)
    got = function.feed(feeds)
    assert list(got) == [output.name for output in model.graph.output]
    for name, array in wanted.items():
        assert got[name].shape == array.shape
        assert got[name].dtype == array.dtype
        np.testing.assert_allclose(got[name], array, rtol=tolerance, atol=tolerance / 10)
    return module


def cpu_operators(module: Module) -> list[str]:
    """The ONNX operators that became CPU ops, sorted."""
    calls = [op for op in module.functions[0].operations if op.name == "hbtl.call"]
    origins = [origin_of_op(op) for op in calls]
    return sorted(origin.nodes[0].type for origin in origins if origin is not None)


def reasons(module: Module) -> list[str]:
    """The reasons of the CPU ops."""
    calls = [op for op in module.functions[0].operations if op.name == "hbtl.call"]
    return [op.properties["reason"].data for op in calls]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]  (a property is an Attribute)


def count(module: Module, op: str) -> int:
    """How many ops of a name the module has."""
    return module.functions[0].statistics().get(op, 0)


def onnx_reference(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> list[Array]:
    """The outputs of onnx's own evaluator, for operators that onnxruntime doesn't have yet."""
    evaluator: Any = ReferenceEvaluator(model)  # typed only in part
    return evaluator.run(None, dict(feeds))
