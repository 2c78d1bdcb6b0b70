"""Conv and ConvTranspose, 1-D and 2-D."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.windows import (
    auto_pad,
    explicit_pads,
    read_window,
    spatial_ints,
    spatial_rank,
)
from hbir.frontends.windows import pair, split_padding
from hbir.kernels.window import window_extent


@imports("Conv")
def conv(node: NodeImport) -> SSAValue:
    """Conv → conv2d. Weights (Cout, Cin/g, kernel...) become (Cout, KH, KW, Cin/g)."""
    rank = spatial_rank(node)
    window = read_window(node, _kernel(node, rank))
    _check_channels(node, node.shape(1)[1] * node.int_("group", 1))
    bias = [node.value(2)] if node.has(2) else []
    return node.spatial_result(
        "conv2d",
        node.spatial_input(0),
        _weights(node, rank),
        *bias,
        stride=window.stride,
        pad=window.pad,
        dilation=window.dilation,
        group_num=node.int_("group", 1),
    )


@imports("ConvTranspose")
def conv_transpose(node: NodeImport) -> SSAValue:
    """ConvTranspose → convtranspose. Weights (Cin, Cout/g, kernel...) become (Cin, KH, KW, Cout/g).

    `output_padding` becomes a smaller (maybe negative) end pad.
    """
    rank = spatial_rank(node)
    kernel = _kernel(node, rank)
    _check_channels(node, node.shape(1)[0])
    strides = spatial_ints(node, "strides", 1)
    dilations = spatial_ints(node, "dilations", 1)
    begin, end = _transposed_pads(node, kernel, strides, dilations)
    bias = [node.value(2)] if node.has(2) else []
    return node.spatial_result(
        "convtranspose",
        node.spatial_input(0),
        _weights(node, rank),
        *bias,
        stride=pair(strides, 1),
        pad=(*pair(begin, 0), *pair(end, 0)),
        dilation=pair(dilations, 1),
        group_num=node.int_("group", 1),
    )


def _check_channels(node: NodeImport, channels: int) -> None:
    """ONNX's own shape inference lets a weight of other channels pass."""
    if node.shape(0)[1] != channels:
        raise HbirError(
            f"{node.node}: its input of shape {list(node.shape(0))} has {node.shape(0)[1]}"
            f" channels, its weight of shape {list(node.shape(1))} takes {channels}"
        )


def _kernel(node: NodeImport, rank: int) -> list[int]:
    weight_shape = node.shape(1)
    if len(weight_shape) != rank + 2:
        raise NoBpuForm(f"its weight must have rank {rank + 2}, it has shape {list(weight_shape)}")
    kernel = list(weight_shape[2:])
    said = node.ints("kernel_shape", kernel)
    if said != kernel:
        raise NoBpuForm(f"kernel_shape {said} is not its weight's, {kernel}")
    return kernel


def _weights(node: NodeImport, rank: int) -> SSAValue:
    return node.rearranged(1, (0, 2, 3, 1), expand=2 if rank == 1 else None)


def _transposed_pads(
    node: NodeImport, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[list[int], list[int]]:
    mode = auto_pad(node)
    begin, end = explicit_pads(node)
    extra = spatial_ints(node, "output_padding", 0)
    wanted = node.ints("output_shape", None)
    sizes = node.shape(0)[2:]
    if wanted is not None:
        wanted = wanted[-len(sizes) :]  # some exporters list N and C too
    elif mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)]
    elif mode == "VALID":
        begin, end = [0] * len(sizes), [0] * len(sizes)
    for axis, size in enumerate(sizes):
        if wanted is None:
            end[axis] -= extra[axis]
            continue
        full = (size - 1) * strides[axis] + window_extent(kernel[axis], dilations[axis])
        total = full + extra[axis] - wanted[axis]
        # The specification cuts nothing when the wanted shape is larger: it adds at the end.
        cut = split_padding(max(0, total), upper=mode == "SAME_UPPER")
        begin[axis] = cut[0]
        end[axis] = full - wanted[axis] - cut[0]
    return begin, end
