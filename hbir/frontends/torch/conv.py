"""Convolutions and transposed convolutions, 1-D and 2-D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.windows import pair, split_padding
from hbir.kernels.window import window_extent


@imports("conv1d.default", "conv2d.default", "conv1d.padding", "conv2d.padding")
def conv(node: NodeImport) -> SSAValue:
    """conv1d, conv2d → conv2d. Weights (Cout, Cin/g, kernel...) become (Cout, KH, KW, Cin/g)."""
    dimensions = len(node.shape("weight")) - 2
    begin, end = _padding(node, dimensions)
    return node.spatial_result(
        dimensions,
        "conv2d",
        node.spatial_input("input", dimensions),
        _weights(node, dimensions),
        *([node.value("bias")] if node.has("bias") else []),
        **_parameters(node, dimensions, begin, end),
    )


@imports("conv_transpose1d.default", "conv_transpose2d.input")
def conv_transpose(node: NodeImport) -> SSAValue:
    """conv_transpose1d, conv_transpose2d → convtranspose.

    Weights (Cin, Cout/g, kernel...) become (Cin, KH, KW, Cout/g). `output_padding` becomes a
    smaller (maybe negative) end pad.
    """
    dimensions = len(node.shape("weight")) - 2
    begin = node.spatial_ints("padding", dimensions)
    extra = node.spatial_ints("output_padding", dimensions)
    end = [pad - more for pad, more in zip(begin, extra, strict=True)]
    return node.spatial_result(
        dimensions,
        "convtranspose",
        node.spatial_input("input", dimensions),
        _weights(node, dimensions),
        *([node.value("bias")] if node.has("bias") else []),
        **_parameters(node, dimensions, begin, end),
    )


def _parameters(
    node: NodeImport, dimensions: int, begin: Sequence[int], end: Sequence[int]
) -> dict[str, Any]:
    """What both ops say about their windows; begin, end: the pads of the spatial dimensions."""
    return {
        "stride": pair(node.spatial_ints("stride", dimensions), 1),
        "pad": (*pair(begin, 0), *pair(end, 0)),
        "dilation": pair(node.spatial_ints("dilation", dimensions), 1),
        "group_num": node.int_("groups"),
    }


def _weights(node: NodeImport, dimensions: int) -> SSAValue:
    return node.rearranged("weight", (0, 2, 3, 1), expand=2 if dimensions == 1 else None)


def _padding(node: NodeImport, dimensions: int) -> tuple[list[int], list[int]]:
    """Pads before and after. `same` keeps the extents; its odd element goes after."""
    match node.argument("padding"):
        case "valid":
            return [0] * dimensions, [0] * dimensions
        case "same":
            kernel = node.shape("weight")[2:]
            dilation = node.spatial_ints("dilation", dimensions)
            totals = [window_extent(k, d) - 1 for k, d in zip(kernel, dilation, strict=True)]
            sides = [split_padding(total, upper=True) for total in totals]
            return [before for before, _ in sides], [after for _, after in sides]
        case str() as other:
            raise NoBpuForm(f"padding must be numbers, same or valid, got {other!r}")
        case _:
            pads = node.spatial_ints("padding", dimensions)
            return pads, pads
