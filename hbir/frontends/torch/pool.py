"""Pools over windows of H and W, over the whole of them, and over as many parts as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value
from hbir.frontends.windows import pair
from hbir.ir.types import shape_of


def _dimensions(node: NodeImport) -> int:
    return 1 if "1d" in node.kind else 2


@imports("max_pool1d.default", "max_pool2d.default")
def max_pool(node: NodeImport) -> SSAValue:
    """max_pool1d, max_pool2d → max_pool."""
    dimensions = _dimensions(node)
    return node.spatial_result(
        dimensions,
        "max_pool",
        node.spatial_input("self", dimensions),
        **_window(node, dimensions),
        dilation=pair(node.spatial_ints("dilation", dimensions), 1),
    )


@imports("avg_pool1d.default", "avg_pool2d.default")
def avg_pool(node: NodeImport) -> SSAValue:
    """avg_pool1d, avg_pool2d → avg_pool. divisor_override must be None."""
    dimensions = _dimensions(node)
    if "divisor_override" in node.names and node.has("divisor_override"):
        raise NoBpuForm(f"divisor_override must be None, got {node.int_('divisor_override')}")
    return node.spatial_result(
        dimensions,
        "avg_pool",
        node.spatial_input("self", dimensions),
        **_window(node, dimensions),
        count_include_pad=node.bool_("count_include_pad"),
    )


def _window(node: NodeImport, dimensions: int) -> dict[str, Any]:
    kernel = node.spatial_ints("kernel_size", dimensions)
    stride = node.spatial_ints("stride", dimensions, kernel)
    pad = pair(node.spatial_ints("padding", dimensions), 0)
    return {
        "kernel": pair(kernel, 1),
        "stride": pair(stride, 1),
        "pad": (*pad, *pad),
        "ceil_mode": node.bool_("ceil_mode"),
    }


@imports("adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default")
def adaptive_avg_pool(node: NodeImport) -> SSAValue:
    """adaptive_avg_pool → reduce_mean to one element, avg_pool into equal windows, or a mean per
    row and per column of windows that differ."""
    dimensions = _dimensions(node)
    shape = node.shape()
    sizes = shape[-dimensions:]
    wanted = _wanted(node, dimensions)
    if all(size == 1 for size in wanted):
        axes = list(range(len(shape) - dimensions, len(shape)))
        return node.result("reduce_mean", node.value("self"), dims=axes, keep_dim=True)
    if all(size % count == 0 for size, count in zip(sizes, wanted, strict=True)):
        kernel = [size // count for size, count in zip(sizes, wanted, strict=True)]
        x = node.spatial_input("self", dimensions)
        kernel = pair(kernel, 1)
        return node.spatial_result(dimensions, "avg_pool", x, kernel=kernel, stride=kernel)
    value = node.value("self")
    for axis, count in enumerate(wanted, start=len(shape) - dimensions):
        value = _means(node, value, axis, count)
    return node.reshape(value, shape_of(value))


def _wanted(node: NodeImport, dimensions: int) -> list[int]:
    sizes = node.shape()[-dimensions:]
    asked: Sequence[int | None] = node.argument("output_size")
    asked = list(asked) * dimensions if len(asked) == 1 else asked
    return [size if count is None else count for size, count in zip(sizes, asked, strict=True)]


def _means(node: NodeImport, value: SSAValue, axis: int, count: int) -> SSAValue:
    """The means of `count` windows along an axis: from ⌊i·n/count⌋ to ⌈(i + 1)·n/count⌉."""
    shape = shape_of(value)
    parts: list[SSAValue] = []
    for index in range(count):
        begin, end = [0] * len(shape), list(shape)
        begin[axis] = index * shape[axis] // count
        end[axis] = -(-(index + 1) * shape[axis] // count)
        part = node.emit("slice", value, begin=begin, end=end)
        parts.append(node.emit("reduce_mean", part, dims=[axis], keep_dim=True))
    return parts[0] if count == 1 else node.emit("concat", *parts, dim=axis)


@imports("adaptive_max_pool1d.default", "adaptive_max_pool2d.default")
def adaptive_max_pool(node: NodeImport) -> list[Value]:
    """adaptive_max_pool → max_pool. The windows must be equal, the indices unused."""
    dimensions = _dimensions(node)
    sizes, wanted = node.shape()[-dimensions:], _wanted(node, dimensions)
    if any(size % count for size, count in zip(sizes, wanted, strict=True)):
        raise NoBpuForm(f"{list(sizes)} must be multiples of output_size {wanted}")
    kernel = pair([size // count for size, count in zip(sizes, wanted, strict=True)], 1)
    x = node.spatial_input("self", dimensions)
    return [node.spatial_result(dimensions, "max_pool", x, kernel=kernel, stride=kernel)]
