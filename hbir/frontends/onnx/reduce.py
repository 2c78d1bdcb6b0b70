"""Reductions over axes, and running sums."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_PLAIN = {
    "ReduceMax": "reduce_max",
    "ReduceMean": "reduce_mean",
    "ReduceMin": "reduce_min",
    "ReduceSum": "reduce_sum",
}

_COMPOSED: dict[str, Callable[..., SSAValue]] = {
    "ReduceL1": compositions.sum_of_magnitudes,
    "ReduceL2": compositions.euclidean_norm,
    "ReduceLogSum": compositions.log_sum,
    "ReduceLogSumExp": compositions.log_sum_exp,
    "ReduceSumSquare": compositions.sum_of_squares,
}


@imports(*_PLAIN)
def reduction(node: NodeImport) -> SSAValue:
    """ReduceSum, ReduceMean, ReduceMax, ReduceMin → the op of the same name.

    The axes (an attribute before opset 13 or 18) must be constant.
    """
    dims, keeps = _dims(node), _keeps(node)
    if not dims:
        return node.value(0)
    return node.result(_PLAIN[node.node.type], node.value(0), dims=dims, keep_dim=keeps)


@imports(*_COMPOSED)
def composed_reduction(node: NodeImport) -> SSAValue:
    """ReduceL1, L2, LogSum, LogSumExp, SumSquare → reduce_sum between functions of one element."""
    dims = _dims(node)
    if not dims:
        raise NoBpuForm("it must reduce at least one axis")
    return _COMPOSED[node.node.type](node, node.value(0), dims, keep_dim=_keeps(node))


@imports("ReduceProd")
def product(node: NodeImport) -> SSAValue:
    """ReduceProd has no BPU form."""
    raise NoBpuForm("the BPU multiplies two tensors, it has no product over an axis")


@imports("CumSum")
def cumulative_sum(node: NodeImport) -> SSAValue:
    """CumSum → cumsum. The axis must be constant."""
    rank = len(node.shape(0))
    (axis,) = node.constant_ints(1, "its axis")
    if not -rank <= axis < rank:
        raise NoBpuForm(f"axis {axis} must lie in {-rank}..{rank - 1}")
    return node.result(
        "cumsum",
        node.value(0),
        axis=axis % rank,
        exclusive=bool(node.int_("exclusive", 0)),
        reverse=bool(node.int_("reverse", 0)),
    )


def _keeps(node: NodeImport) -> bool:
    return bool(node.int_("keepdims", 1))


def _dims(node: NodeImport) -> list[int]:
    """The axes to reduce, ascending; none for a reduction that changes nothing."""
    rank = len(node.shape(0))
    axes = node.integers("axes", 1, None)
    stays = bool(node.int_("noop_with_empty_axes", 0))
    if not axes:
        if rank == 0 or stays:
            return []
        return list(range(rank))
    if any(not -rank <= axis < rank for axis in axes):
        raise NoBpuForm(f"axes {axes} must lie in {-rank}..{rank - 1}")
    return sorted({axis % rank for axis in axes})
