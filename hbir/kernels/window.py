"""Geometry of sliding windows: how far a convolution, its transpose and a pool reach.

Integer formulas without arrays, shared by shape inference and the kernels.
Pads are [top, left, bottom, right] of H and W; negative pads crop.
"""

from __future__ import annotations

from collections.abc import Sequence


def window_extent(kernel: int, dilation: int) -> int:
    """Input positions that a window of `kernel` taps spans."""
    return (kernel - 1) * dilation + 1


def window_positions(
    size: int,
    kernel: int,
    stride: int,
    pad_begin: int,
    pad_end: int,
    dilation: int = 1,
    *,
    ceil_mode: bool = False,
) -> int:
    """Windows along one axis: floor((size + pads − extent) / stride) + 1, at least 0.

    `ceil_mode` rounds up instead, so that the last window may reach beyond the padding, but (as in
    ONNX from opset 19 and in PyTorch) not a window that starts in the end padding.
    """
    room = size + pad_begin + pad_end - window_extent(kernel, dilation)
    if room < 0:
        return 0
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    starts_outside = (count - 1) * stride >= size + pad_begin
    return count - 1 if starts_outside else count


def window_shape(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int] = (1, 1),
    *,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """`window_positions` of H and W. `size`, `kernel`, `stride`, `dilation` are [H, W] pairs."""
    height, width = (
        window_positions(
            size[axis],
            kernel[axis],
            stride[axis],
            pad[axis],
            pad[axis + 2],
            dilation[axis],
            ceil_mode=ceil_mode,
        )
        for axis in range(2)
    )
    return height, width


def transposed_window_shape(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> tuple[int, int]:
    """H and W of a transposed convolution: (size − 1)·stride + extent − pads.

    Negative end pads lengthen the result (ONNX's `output_padding`).
    """
    height, width = (
        (size[axis] - 1) * stride[axis]
        + window_extent(kernel[axis], dilation[axis])
        - pad[axis]
        - pad[axis + 2]
        for axis in range(2)
    )
    return height, width
