"""Reductions over axes, and running sums."""

from __future__ import annotations

import math
from collections.abc import Callable

from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value

_PLAIN = {
    "amax": "reduce_max",
    "amin": "reduce_min",
    "max": "reduce_max",
    "mean": "reduce_mean",
    "min": "reduce_min",
    "sum": "reduce_sum",
}

_NORMS: dict[float, Callable[..., SSAValue]] = {
    1: compositions.sum_of_magnitudes,
    2: compositions.euclidean_norm,
}

_INDICES = {"max": "reduce_argmax", "min": "reduce_argmin"}


@imports(
    "amax.default",
    "amin.default",
    "max.default",
    "mean.default",
    "mean.dim",
    "min.default",
    "sum.default",
    "sum.dim_IntList",
)
def reduction(node: NodeImport) -> list[Value]:
    """amax, amin, max, mean, min, sum → reduce_max, reduce_min, reduce_mean, reduce_sum."""
    dims, keep = _dims(node), _keeps(node)
    if not dims:
        return [node.operand("self").value]
    return [node.result(_PLAIN[node.kind], node.value("self"), dims=dims, keep_dim=keep)]


@imports("max.dim", "min.dim")
def extremum(node: NodeImport) -> list[Value]:
    """max, min along an axis → reduce_max and reduce_argmax, reduce_min and reduce_argmin."""
    x, dims, keep = node.value("self"), _dims(node), _keeps(node)
    values = node.result(_PLAIN[node.kind], x, dims=dims, keep_dim=keep)
    places = node.result(_INDICES[node.kind], x, output=1, dims=dims, keep_dim=keep)
    return [values, places]


@imports("logsumexp.default")
def log_sum_exp(node: NodeImport) -> SSAValue:
    """logsumexp → reduce_max, sub, exp, reduce_sum, log, add."""
    x = node.value("self")
    return compositions.log_sum_exp(node, x, _dims(node), keep_dim=_keeps(node))


@imports("linalg_vector_norm.default")
def vector_norm(node: NodeImport) -> SSAValue:
    """linalg_vector_norm → reduce_sum between functions of one element; ord must be 1 or 2."""
    order = node.float_("ord")
    if order not in _NORMS:
        raise NoBpuForm(f"ord must be 1 or 2, got {order}")
    return _NORMS[order](node, node.value("self"), _dims(node), keep_dim=_keeps(node))


@imports("var.correction")
def variance(node: NodeImport) -> SSAValue:
    """var → reduce_mean, sub, mul, reduce_mean, mul."""
    return _variance(node, _mean(node))


@imports("var_mean.correction")
def variance_and_mean(node: NodeImport) -> list[Value]:
    """var_mean → the same, and the mean."""
    mean = _mean(node)
    return [_variance(node, mean), node.reshape(mean, node.shapes[1], node.origin(1))]


def _mean(node: NodeImport) -> SSAValue:
    return node.emit("reduce_mean", node.value("self"), dims=_dims(node), keep_dim=True)


def _variance(node: NodeImport, mean: SSAValue) -> SSAValue:
    """Σ (x − mean)² / max(0, n − correction), as a mean times a factor."""
    dims, shape = _dims(node), node.shape()
    count = math.prod(shape[axis] for axis in dims)
    correction = node.float_("correction", 1.0)
    if count <= correction:
        raise NoBpuForm(f"it must reduce more than {correction} elements, it reduces {count}")
    squares = compositions.square(node, node.emit("sub", node.value("self"), mean))
    value = node.emit("reduce_mean", squares, dims=dims, keep_dim=_keeps(node))
    if correction == 0:
        return value
    return node.result("mul", value, node.number(count / (count - correction), "correction"))


@imports("cumsum.default")
def cumulative_sum(node: NodeImport) -> SSAValue:
    """cumsum → cumsum."""
    return node.result("cumsum", node.value("self"), axis=node.axis("dim", len(node.shape())))


def _keeps(node: NodeImport) -> bool:
    return "keepdim" in node.names and node.bool_("keepdim")


def _dims(node: NodeImport) -> list[int]:
    """The axes to reduce, ascending. No axes named are all axes."""
    rank = len(node.shape())
    dims = node.ints("dim") if "dim" in node.names and node.has("dim") else []
    return sorted({axis % rank for axis in dims} if rank else set[int]()) or list(range(rank))
