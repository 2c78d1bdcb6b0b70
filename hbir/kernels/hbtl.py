"""CPU ops: `hbtl.call` runs a function of a library by its signature.

`native::NAME` is the kernel of the op NAME; `onnx::OPERATOR` the ONNX project's reference
implementation of an operator, on a model of that one node rebuilt from the parameters;
`custom::NAME` a function that the user has registered (`kernels/custom.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from hbir.errors import HbirError
from hbir.kernels.custom import registered_op, run_custom
from hbir.kernels.onnx_reference import evaluator
from hbir.kernels.table import execute_all, kernel
from hbir.kernels.types import Array

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto

NATIVE = "native"
ONNX = "onnx"
CUSTOM = "custom"
LIBRARIES = (NATIVE, ONNX, CUSTOM)

_CACHED_EVALUATORS = 256

FLATTENING = ("Softmax", "LogSoftmax", "Hardmax")
FLATTENING_ENDS = 13
"""The opset from which these operators work on the one axis that they name."""


def split_signature(signature: str) -> tuple[str, str]:
    """`native::hbir.softmax` → ("native", "hbir.softmax"). Raises HbirError for other libraries."""
    library, separator, function = signature.partition("::")
    if library not in LIBRARIES or not separator or not function:
        expected = " or ".join(f"{name}::..." for name in LIBRARIES)
        raise HbirError(f'signature must be {expected}, got "{signature}"')
    return library, function


@kernel("hbtl.call")
def call(
    *arrays: Array,
    signature: str,
    parameters: Mapping[str, Any],
    dtypes: Sequence[np.dtype[Any]],
) -> tuple[Array, ...]:
    """All results of the function; `dtypes` has the dtype of each.

    Raises HbirError for an unknown function, and when the ONNX reference implementation fails.
    """
    library, function = split_signature(signature)
    if library == NATIVE:
        return execute_all(function, arrays, _native_parameters(parameters))
    if library == CUSTOM:
        return _run_custom(function, arrays, parameters, dtypes)
    if function in FLATTENING and parameters["opset"] < FLATTENING_ENDS:
        results = _run_flattened(function, arrays[0], parameters)
    else:
        results = _run_onnx(function, arrays, parameters, len(dtypes))
    # The reference implementation computes some float32 operators in float64.
    return tuple(r.astype(dtype, copy=False) for r, dtype in zip(results, dtypes, strict=True))


def _native_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The dtype, which is kept by name, as a dtype."""
    native = dict(parameters)
    if "dtype" in native:
        native["dtype"] = np.dtype(native["dtype"])
    return native


def _run_custom(
    name: str,
    arrays: Sequence[Array],
    parameters: Mapping[str, Any],
    dtypes: Sequence[np.dtype[Any]],
) -> tuple[Array, ...]:
    """A user's function. What it computes must have the dtypes that its inference told of."""
    op = registered_op(parameters["domain"], name, parameters["file"])
    places: Sequence[int] = parameters.get("inputs", range(len(arrays)))
    operands = [arrays[place] if place >= 0 else None for place in places]
    listed = parameters.get("outputs", range(len(dtypes)))
    computed = run_custom(op, operands, parameters["attributes"], len(listed))
    kept = [result for result, place in zip(computed, listed, strict=True) if place >= 0]
    for result, dtype in zip(kept, dtypes, strict=True):
        if not np.can_cast(result.dtype, dtype, "same_kind"):
            raise HbirError(
                f"custom op {name} ({op.file}) gives {result.dtype}, its shape inference told of"
                f" {dtype}"
            )
    return tuple(r.astype(dtype, copy=False) for r, dtype in zip(kept, dtypes, strict=True))


def _run_flattened(operator: str, x: Array, parameters: Mapping[str, Any]) -> tuple[Array, ...]:
    """Softmax and its kin as they were before opset 13: over all axes from `axis` on, as one.

    The reference implementation knows only their later meaning.
    """
    axis = parameters["attributes"].get("axis", 1)
    rows = x.reshape(int(np.prod(x.shape[: axis % x.ndim if axis < 0 else axis])), -1)
    flat = {**parameters, "attributes": {"axis": 1}, "opset": FLATTENING_ENDS}
    return tuple(y.reshape(x.shape) for y in _run_onnx(operator, [rows], flat, 1))


def _run_onnx(
    operator: str, arrays: Sequence[Array], parameters: Mapping[str, Any], result_count: int
) -> tuple[Array, ...]:
    model = onnx_model(operator, arrays, parameters, result_count)
    session = _evaluator(model.SerializeToString(deterministic=True))
    feed = dict(zip((port.name for port in model.graph.input), arrays, strict=True))
    try:
        results = session.run(None, feed)
    except Exception as error:  # the reference implementation raises whatever NumPy raises
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in arrays)
        raise HbirError(f"onnx::{operator} fails on {shapes}: {error}") from error
    for result in results:
        if not isinstance(result, np.ndarray | np.generic):
            kind = type(result).__name__
            raise HbirError(f"onnx::{operator} gives a {kind} where a tensor is expected")
    return tuple(np.asarray(result) for result in results)


def onnx_problem(
    operator: str, arrays: Sequence[Array], parameters: Mapping[str, Any], result_count: int
) -> str | None:
    """Why the reference implementation has no such operator; None when it has.

    `arrays` need only have the dtypes and shapes of the inputs, their values aren't looked at.
    """
    model = onnx_model(operator, arrays, parameters, result_count)
    try:
        _evaluator(model.SerializeToString(deterministic=True))
    except HbirError as error:
        return str(error)
    return None


@lru_cache(_CACHED_EVALUATORS)
def _evaluator(model: bytes) -> Any:
    try:
        return evaluator(model)
    except Exception as error:  # an unknown operator or version is reported in several ways
        import onnx

        node = onnx.load_from_string(model).graph.node[0]
        raise HbirError(
            f"onnx::{node.op_type} (domain {node.domain or 'ai.onnx'!r}) can't be run on the CPU:"
            f" {error}"
        ) from error


def onnx_model(
    operator: str, arrays: Sequence[Array], parameters: Mapping[str, Any], result_count: int
) -> ModelProto:
    """The model of one node with inputs x0, x1, … and outputs y0, y1, …

    parameters: `attributes`, `domain`, `opset`, and optionally `inputs`, `outputs` (see
    `hbir.dialects.hbtl`).
    """
    from onnx import helper

    domain, opset = parameters["domain"], parameters["opset"]
    inputs = parameters.get("inputs", range(len(arrays)))
    outputs = parameters.get("outputs", range(result_count))
    node = helper.make_node(
        operator,
        [f"x{index}" if index >= 0 else "" for index in inputs],
        [f"y{index}" if index >= 0 else "" for index in outputs],
        domain=domain,
    )
    for name, value in sorted(parameters["attributes"].items()):
        attribute = _onnx_attribute(name, value, _list_type(operator, name, domain, opset))
        node.attribute.append(attribute)
    ports = [
        helper.make_tensor_value_info(
            f"x{index}", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for index, array in enumerate(arrays)
    ]
    results = [helper.make_empty_tensor_value_info(f"y{index}") for index in outputs if index >= 0]
    graph = helper.make_graph([node], operator, ports, results)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, opset)])


def _list_type(operator: str, attribute: str, domain: str, opset: int) -> int | None:
    """The type of an attribute, which an empty list doesn't tell by itself."""
    from onnx import defs

    try:
        schema = defs.get_schema(operator, opset, domain)
    except defs.SchemaError:
        return None
    definition = schema.attributes.get(attribute)
    return None if definition is None else int(cast(Any, definition.type).value)


def _onnx_attribute(name: str, value: Any, type_: int | None) -> AttributeProto:
    from onnx import helper, numpy_helper

    if isinstance(value, np.ndarray):
        return helper.make_attribute(name, numpy_helper.from_array(cast(Array, value)))
    if not isinstance(value, tuple):
        return helper.make_attribute(name, value)
    items = [
        numpy_helper.from_array(cast(Array, item)) if isinstance(item, np.ndarray) else item
        for item in cast(tuple[Any, ...], value)
    ]
    return helper.make_attribute(name, items, attr_type=None if items else type_)
