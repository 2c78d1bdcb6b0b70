"""Pools over windows and over the whole of H and W."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import SSAValue

from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.windows import read_window, spatial_rank
from hbir.ir.types import shape_of


@imports("MaxPool")
def max_pool(node: NodeImport) -> SSAValue:
    """MaxPool → max_pool. The Indices result has no BPU form."""
    if len(node.node.outputs) > 1 and node.node.outputs[1]:
        raise NoBpuForm("its Indices result must not be used")
    window = _window(node)
    return node.spatial_result("max_pool", node.spatial_input(0), **window)


@imports("AveragePool")
def average_pool(node: NodeImport) -> SSAValue:
    """AveragePool → avg_pool."""
    window = _window(node)
    counts = bool(node.int_("count_include_pad", 0))
    image = node.spatial_input(0)
    return node.spatial_result("avg_pool", image, **window, count_include_pad=counts)


@imports("GlobalAveragePool")
def global_average_pool(node: NodeImport) -> SSAValue:
    """GlobalAveragePool → reduce_mean over all but N and C."""
    rank = len(node.shape(0))
    if rank < 3:
        raise NoBpuForm(f"its input must have rank 3 or more, it has {rank}")
    pooled = node.emit(
        "reduce_mean",
        node.channel_last_input(0),
        dims=list(range(1, rank - 1)),
        keep_dim=True,
        origin=node.origin(perm=channel_last(rank)),
    )
    return node.channel_first_result(pooled)


@imports("GlobalMaxPool")
def global_max_pool(node: NodeImport) -> SSAValue:
    """GlobalMaxPool → max_pool with a window of the input's extents."""
    spatial_rank(node)
    x = node.spatial_input(0)
    _, height, width, _ = shape_of(x)
    return node.spatial_result("max_pool", x, kernel=(height, width), stride=(1, 1))


def _window(node: NodeImport) -> dict[str, Any]:
    """What both pools say about their windows."""
    window = read_window(node, _kernel(node))
    return {
        "kernel": window.kernel,
        "stride": window.stride,
        "pad": window.pad,
        "dilation": window.dilation,
        "ceil_mode": bool(node.int_("ceil_mode", 0)),
    }


def _kernel(node: NodeImport) -> Sequence[int]:
    kernel = node.ints("kernel_shape", None)
    if kernel is None:
        raise NoBpuForm("it must say its kernel_shape")
    return kernel
