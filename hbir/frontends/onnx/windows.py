"""Window attributes (kernel, strides, dilations, pads, auto_pad) of convolutions and pools.

1-D windows become 2-D ones over a single row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.windows import pair, split_padding
from hbir.kernels.window import window_extent

AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


@dataclass(frozen=True)
class Window:
    """A window over H and W: pairs, and pad as [top, left, bottom, right]."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int, int, int]


def spatial_rank(node: NodeImport) -> int:
    """1 or 2. Raises NoBpuForm for other numbers of spatial dimensions."""
    rank = len(node.shape(0)) - 2
    if rank not in (1, 2):
        raise NoBpuForm(f"it must have 1 or 2 spatial dimensions, it has {rank}")
    return rank


def read_window(node: NodeImport, kernel: Sequence[int]) -> Window:
    """The window of a Conv or pool node with the kernel extents `kernel`."""
    rank = spatial_rank(node)
    sizes = node.shape(0)[2:]
    _expect_length("kernel_shape", kernel, rank)
    strides = spatial_ints(node, "strides", 1)
    dilations = spatial_ints(node, "dilations", 1)
    begin, end = _pads(node, sizes, kernel, strides, dilations)
    return Window(
        pair(kernel, 1),
        pair(strides, 1),
        pair(dilations, 1),
        (*pair(begin, 0), *pair(end, 0)),
    )


def spatial_ints(node: NodeImport, key: str, default: int) -> list[int]:
    """An attribute with one entry per spatial dimension, each at least 1 (0 if so by default)."""
    rank = spatial_rank(node)
    values = node.ints(key, [default] * rank) or [default] * rank
    _expect_length(key, values, rank)
    if any(value < default for value in values):
        raise NoBpuForm(f"{key} must be at least {default}, got {values}")
    return values


def explicit_pads(node: NodeImport) -> tuple[list[int], list[int]]:
    """The `pads` attribute: before and after, per spatial dimension."""
    rank = spatial_rank(node)
    pads = node.ints("pads", [0] * (2 * rank)) or [0] * (2 * rank)
    _expect_length("pads", pads, 2 * rank)
    return pads[:rank], pads[rank:]


def auto_pad(node: NodeImport) -> str:
    """The `auto_pad` attribute."""
    mode = node.str_("auto_pad", "NOTSET")
    if mode not in AUTO_PADS:
        raise NoBpuForm(f"auto_pad must be one of {', '.join(AUTO_PADS)}, got {mode!r}")
    return mode


def _pads(
    node: NodeImport,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[list[int], list[int]]:
    mode = auto_pad(node)
    if mode == "NOTSET":
        return explicit_pads(node)
    begin, end = [0] * len(sizes), [0] * len(sizes)
    if mode == "VALID":
        return begin, end
    for axis, size in enumerate(sizes):
        windows = -(-size // strides[axis])
        reach = (windows - 1) * strides[axis] + window_extent(kernel[axis], dilations[axis])
        begin[axis], end[axis] = split_padding(max(0, reach - size), upper=mode == "SAME_UPPER")
    return begin, end


def _expect_length(key: str, values: Sequence[int], length: int) -> None:
    if len(values) != length:
        raise NoBpuForm(f"{key} must have {length} entries, got {list(values)}")
