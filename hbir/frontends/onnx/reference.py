"""What the onnx package itself knows of a node: the types it gives, and its value.

Used for nodes without BPU form: their result types come from ONNX's own shape inference, constant
ones are evaluated by `onnx.reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import onnx
from onnx import NodeProto, TypeProto, numpy_helper, shape_inference
from onnx import helper as onnx_helper

from hbir.errors import HbirError
from hbir.frontends.onnx.graph import Node
from hbir.frontends.onnx.proto import dims_of, dtype_of_elem_type, tensor_type
from hbir.ir.types import Array
from hbir.kernels.onnx_reference import evaluator

TensorInfo = tuple[tuple[int, ...], np.dtype[Any]]
"""Shape and dtype of a value."""


def schema_of(node: Node) -> onnx.defs.OpSchema | None:
    """The schema of a node's operator at its version; None for one ONNX doesn't define."""
    try:
        return onnx.defs.get_schema(node.type, node.version, node.domain)
    except onnx.defs.SchemaError:
        return None


def check_node(node: Node, label: str) -> None:
    """Raises HbirError when a node breaks its operator's schema: attributes, counts of inputs."""
    context: Any = onnx.checker.C.CheckerContext()
    context.ir_version = onnx.IR_VERSION
    context.opset_imports = {node.domain: node.version}
    try:
        onnx.checker.check_node(node.proto, context)
    except (onnx.checker.ValidationError, UnicodeDecodeError) as error:
        # The latter when the former would quote a text that isn't UTF-8.
        reason = str(error).strip().splitlines()[0]
        raise HbirError(f"{label}: {node} is not valid: {reason}") from error


def infer_types(
    node: Node, infos: Mapping[str, TensorInfo], constants: Mapping[str, Array]
) -> list[TensorInfo | None]:
    """Shape and dtype of each result (None where ONNX can't tell), by ONNX's shape inference.

    Raises HbirError when the inputs don't fit the operator.
    """
    schema = schema_of(node)
    if schema is None:
        return [None] * len(node.outputs)
    types = {name: tensor_type(shape, dtype) for name, (shape, dtype) in infos.items()}
    # Data only matters for shapes, axes, sizes; leaving big tensors out keeps this cheap.
    data = {
        name: numpy_helper.from_array(np.asarray(array))
        for name, array in constants.items()
        if array.size <= 1024
    }
    opsets = [onnx_helper.make_opsetid(node.domain, node.version)]
    try:
        inferred = shape_inference.infer_node_outputs(
            schema, node.proto, types, data, opset_imports=opsets
        )
    except Exception as error:  # an InferenceError, or what a C++ check raises
        reason = str(error).strip().splitlines()[0]
        raise HbirError(f"{node}: {reason}") from error
    return [_static_info(inferred.get(name)) for name in node.outputs]


def _static_info(type_: TypeProto | None) -> TensorInfo | None:
    if type_ is None or type_.WhichOneof("value") != "tensor_type":
        return None
    dims, dtype = dims_of(type_), dtype_of_elem_type(type_.tensor_type.elem_type)
    if dims is None or dtype is None:
        return None
    if not all(isinstance(dim, int) and dim >= 0 for dim in dims):
        return None
    return tuple(cast("list[int]", dims)), dtype


def _evaluator(proto: NodeProto, opsets: Mapping[str, int]) -> Any:
    """An evaluator of one node. As a model: for a bare node it takes the newest version."""
    names = dict.fromkeys(name for name in proto.input if name)
    make: Any = onnx_helper
    inputs = [make.make_empty_tensor_value_info(name) for name in names]
    outputs = [make.make_empty_tensor_value_info(name) for name in proto.output if name]
    graph = make.make_graph([proto], proto.op_type, inputs, outputs)
    imports = [make.make_opsetid(domain, version) for domain, version in opsets.items()]
    return evaluator(make.make_model(graph, opset_imports=imports))


def reference_problem(proto: NodeProto, opsets: Mapping[str, int]) -> str | None:
    """Why `onnx.reference` can't run a node; None when it can."""
    try:
        _evaluator(proto, opsets)
    except Exception as error:  # an unknown operator or version is reported in several ways
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    return None


def evaluate(
    proto: NodeProto, arrays: Mapping[str, Array], opsets: Mapping[str, int]
) -> dict[str, Any]:
    """The results of a node on `arrays` by name, by `onnx.reference`.

    Raises HbirError when the reference has no such operator, or fails on these inputs.
    """
    names = [name for name in proto.output if name]
    try:
        results: Sequence[Any] = _evaluator(proto, opsets).run(names, dict(arrays))
    except Exception as error:  # the reference raises whatever NumPy does
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise HbirError(f"onnx.reference can't evaluate {proto.op_type}: {reason}") from error
    return dict(zip(names, results, strict=True))
