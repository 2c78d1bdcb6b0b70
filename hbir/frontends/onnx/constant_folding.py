"""Nodes whose results are known while importing: constants, shapes, and what is computed of them.

Deployment never needs these computed at run time: once input shapes are fixed, the
Shape/Gather/Concat/Reshape chains of exporters are arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from hbir.errors import HbirError
from hbir.frontends.onnx.graph import Node
from hbir.frontends.onnx.proto import check_size
from hbir.frontends.onnx.reference import evaluate, infer_types
from hbir.ir.types import Array

NOT_DETERMINISTIC = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
"""Operators whose results differ from run to run, so they have no value to fold."""

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul"})
"""Sums of products, which the reference evaluator and hbir's kernels round differently. hbir's own
pass folds these, so that networks from ONNX and from PyTorch have the same constants."""


def fold(
    node: Node,
    arrays: Sequence[Array | None],
    shapes: Sequence[tuple[int, ...] | None],
    opsets: Mapping[str, int],
    label: str,
) -> list[Array] | None:
    """The results of a node if they are known: all inputs constant, or only shapes asked for.

    `arrays` has the value of each input that is constant, `shapes` the shape of each input.
    Returns None for a node to be imported. Raises HbirError for results of absurd size.
    """
    if node.domain or node.type in NOT_DETERMINISTIC:
        return None
    if node.type in PRODUCTS and not _is_integer(arrays):
        return None
    if node.type == "Constant":
        return [_constant(node, label)]
    shape = shapes[0] if shapes else None
    if node.type == "Shape" and shape is not None:
        return [_shape(node, shape)]
    if node.type == "Size" and shape is not None:
        return [np.array(np.prod(shape, dtype=np.int64), np.int64)]
    present = [a for a, name in zip(arrays, node.inputs, strict=True) if name]
    known = [array for array in present if array is not None]
    if not known or len(known) != len(present):
        return None
    if node.type == "Identity":  # exporters alias equal weights by it: no copy
        return [known[0]]
    return _evaluate(node, dict(zip(node.inputs, arrays, strict=True)), opsets, label)


def _is_integer(arrays: Sequence[Array | None]) -> bool:
    return all(array is None or array.dtype.kind in "iu" for array in arrays)


def _constant(node: Node, label: str) -> Array:
    for key, value in node.attributes.items():
        match key:
            case "value" if isinstance(value, np.ndarray):
                return cast(Array, value)
            case "value_float":
                return np.array(value, np.float32)
            case "value_floats":
                return np.array(value, np.float32)
            case "value_int":
                return np.array(value, np.int64)
            case "value_ints":
                return np.array(value, np.int64)
            case _:
                pass
    said = ", ".join(node.attributes) or "nothing"
    raise HbirError(f"{label}: {node} must have a numeric value, it has {said}")


def _shape(node: Node, shape: tuple[int, ...]) -> Array:
    start, end = node.attributes.get("start", 0), node.attributes.get("end", len(shape))
    return np.array(shape[slice(start, end)], np.int64)


def _evaluate(
    node: Node, values: Mapping[str, Array | None], opsets: Mapping[str, int], label: str
) -> list[Array]:
    arrays = {name: a for name, a in values.items() if name and a is not None}
    if node.type == "ConstantOfShape":
        return [_constant_of_shape(node, next(iter(arrays.values())), label)]
    infos = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    for name, info in zip(node.outputs, infer_types(node, infos, arrays), strict=True):
        if info is not None:
            check_size(*info, f"{label}: {node}: {name!r}")
    results = evaluate(node.proto, arrays, opsets)
    return [_array(results[name], node, label) if name else np.zeros(0) for name in node.outputs]


def _constant_of_shape(node: Node, shape: Array, label: str) -> Array:
    value = np.asarray(node.attributes.get("value", np.zeros(1, np.float32)))
    extents = [int(extent) for extent in shape.reshape(-1)]
    check_size(extents, value.dtype, f"{label}: {node}")
    # A view of one element: exporters make whole weight tensors this way.
    return np.broadcast_to(value.reshape(-1)[:1].reshape(()), extents)


def _array(result: Any, node: Node, label: str) -> Array:
    if not isinstance(result, np.ndarray | np.generic):
        raise HbirError(f"{label}: {node} gives a {type(result).__name__}, expected a tensor")
    array = np.asarray(cast(Any, result))
    array.flags.writeable = False
    return array
