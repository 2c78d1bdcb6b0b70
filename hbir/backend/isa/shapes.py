"""The output shape that an instruction's operands and parameters give.

Checked before anything runs, so that an instruction that doesn't fit its output, by mistake or by
malice, is an error by name and never a computation of another size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hbir.backend.isa.descriptor import TensorDescriptor
from hbir.backend.isa.enums import DType
from hbir.backend.isa.table import Instruction
from hbir.errors import HbirError

Shape = tuple[int, ...]

MAX_TAPS = 1 << 16
"""Elements of a pooling window."""
MAX_PADDED_BYTES = 1 << 28
"""Bytes of an input with its padding: far beyond any on-chip memory."""


class OperandError(HbirError):
    """Operands and parameters of an instruction that don't fit each other."""


def check_shapes(
    row: Instruction, operands: Sequence[TensorDescriptor | None], params: Mapping[str, Any]
) -> None:
    """Compare the output's (or accumulator's) shape with what the instruction computes.

    operands: in the order of the row. Raises OperandError.
    """
    named = {
        name.rstrip("?"): operand
        for name, operand in zip(row.operands, operands, strict=False)
        if operand is not None
    }
    expected = _output_shape(row, named, params)
    for name in ("output", "accumulator"):
        if name in named and named[name].shape != expected:
            raise OperandError(f"{name} has shape {list(named[name].shape)}, not {list(expected)}")


def _output_shape(
    row: Instruction, operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]
) -> Shape:
    # Of float16, the same as of integers.
    mnemonic = row.mnemonic.removeprefix("float_")
    rule = _RULES.get(mnemonic)
    if rule is not None:
        return rule(operands, params)
    match mnemonic:
        case "fill":
            return operands["output"].shape
        case "load" | "store" | "copy" | "permute":
            return _moved(operands["input"], operands["output"], params)
        case "conv2d":
            return _convolved(operands, params)
        case "max_pool" | "avg_pool":
            height, width = params["kernel"]
            if height * width > MAX_TAPS:
                raise OperandError(f"window {height}x{width} has over {MAX_TAPS} elements")
            x = operands["x"]
            return (*_windows(x, (height, width), params), _axes(x)[3])
        case "matmul":
            return _multiplied(operands["x"].shape, operands["y"].shape)
        case "add" | "sub" | "mul" | "max" | "min" | "compare":
            return _broadcast(operands["x"].shape, operands["y"].shape)
        case "where":
            return _broadcast(operands["condition"].shape, operands["x"].shape, operands["y"].shape)
        case "tile":
            return _tiled(operands["x"].shape, params["multiplies"])
        case "reduce_mean" | "reduce_sum" | "reduce_max" | "reduce_min":
            return _reduced(operands["x"].shape, params["dims"], params["keep_dim"])
        case _:
            return operands["x"].shape


def _sampled(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    del params
    batch, _, _, channels = _axes(operands["x"])
    grid = _axes(operands["grid"])
    if (grid[0], grid[3]) != (batch, 2):
        raise OperandError(f"a grid of {list(grid)} can't sample a batch of {batch}")
    return *grid[:3], channels


def _resized(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    batch, _, _, channels = _axes(operands["x"])
    return (batch, *params["size"], channels)


def _cropped(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    """The tile of a resized image; what the planes hold is checked when their extents are known."""
    roi, mode = operands["roi"], params["mode"]
    if roi.shape != (1, 4) or roi.dtype is not DType.SI32:
        raise OperandError(f"the roi is {roi.dtype.name} {list(roi.shape)}, expected SI32 [1, 4]")
    if ("uv" in operands) != (mode == "NV12"):
        raise OperandError(f"{mode} with {len(operands) - 2} planes")
    for name in ("y", "uv"):
        if name in operands and operands[name].dtype is not DType.UI8:
            raise OperandError(f"{name} holds {operands[name].dtype.name}, expected UI8")
    size, offset, extent = params["size"], params["out_offset"], params["out_size"]
    extent = size if extent is None else extent
    if any(first + n > whole for first, n, whole in zip(offset, extent, size, strict=True)):
        raise OperandError(f"a tile of {list(extent)} from {list(offset)} of {list(size)}")
    if mode == "NV12" and (size[0] % 2 or size[1] % 2):
        raise OperandError(f"NV12 of {size[0]}x{size[1]}: chroma is half of it")
    return (1, *extent, 3 if mode == "NV12" else 1)


def _located(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    if len(params["dims"]) != 1:
        raise OperandError(f"dims {list(params['dims'])} must be one axis")
    return _reduced(operands["x"].shape, params["dims"], params["keep_dim"])


def _ordered(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    x, axis = operands["x"].shape, _axis(operands["x"], params["dim"])
    if params["k"] > x[axis]:
        raise OperandError(f"the best {params['k']} of {x[axis]}")
    return *x[:axis], params["k"], *x[axis + 1 :]


def _indexed(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    x, axis = operands["x"].shape, _axis(operands["x"], params["dim"])
    return *x[:axis], *_indices(operands["index"]), *x[axis + 1 :]


def _gathered(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    x, axis = operands["x"].shape, _axis(operands["x"], params["dim"])
    index = _indices(operands["index"])
    fits = len(index) == len(x) and all(
        size <= x[other] for other, size in enumerate(index) if other != axis
    )
    if not fits:
        raise OperandError(f"indices of {list(index)} can't choose from {list(x)}")
    return index


def _axis(x: TensorDescriptor, dim: int) -> int:
    axis = dim + len(x.shape) if dim < 0 else dim
    if not 0 <= axis < len(x.shape) or x.shape[axis] < 1:
        raise OperandError(f"dim {dim} isn't an axis of {list(x.shape)} with elements")
    return axis


def _indices(index: TensorDescriptor) -> Shape:
    if index.dtype not in (DType.SI8, DType.SI16, DType.SI32, DType.SI64):
        raise OperandError(f"indices are {index.dtype.name}, expected signed integers")
    return index.shape


_RULES: dict[str, Callable[[Mapping[str, TensorDescriptor], Mapping[str, Any]], Shape]] = {
    "resize2d": _resized,
    "grid_sample": _sampled,
    "roi_resize": _cropped,
    "reduce_argmax": _located,
    "reduce_argmin": _located,
    "topk": _ordered,
    "index": _indexed,
    "gather_elements": _gathered,
}


def _moved(source: TensorDescriptor, target: TensorDescriptor, params: Mapping[str, Any]) -> Shape:
    if source.dtype != target.dtype:
        raise OperandError(f"moves {source.dtype.name} to {target.dtype.name}")
    rank = len(source.shape)
    dims: Shape = params.get("dims", tuple(range(rank)))
    if sorted(dims) != list(range(rank)):
        raise OperandError(f"dims {list(dims)} don't permute {rank} axes")
    return tuple(source.shape[axis] for axis in dims)


def _convolved(operands: Mapping[str, TensorDescriptor], params: Mapping[str, Any]) -> Shape:
    x, weights, groups = operands["x"], operands["weights"], params["group_num"]
    cout, kernel_h, kernel_w, cin = _axes(weights)
    channels = _axes(x)[3]
    if cout % groups or channels != cin * groups:
        raise OperandError(
            f"{groups} groups, {channels} input channels and weights {list(weights.shape)} don't"
            " fit each other"
        )
    return (*_windows(x, (kernel_h, kernel_w), params), cout)


def _multiplied(x: Shape, y: Shape) -> Shape:
    if min(len(x), len(y)) < 2 or x[-1] != y[-1]:
        raise OperandError(f"rows of {list(x)} and {list(y)} can't be multiplied")
    return (*_broadcast(x[:-2], y[:-2]), x[-2], y[-2])


def _windows(
    x: TensorDescriptor, kernel: tuple[int, int], params: Mapping[str, Any]
) -> tuple[int, int, int]:
    """Batch and how many windows there are along H and W."""
    batch, height, width, channels = _axes(x)
    top, left, bottom, right = params["pad"]
    spread = params.get("input_dilation", (1, 1))
    dilation = params.get("dilation", (1, 1))
    padded: list[int] = []
    counts: list[int] = []
    for axis, (extent, before, after) in enumerate(((height, top, bottom), (width, left, right))):
        size = (extent - 1) * spread[axis] + 1 + before + after
        window = (kernel[axis] - 1) * dilation[axis] + 1
        if size < window:
            raise OperandError(f"a window of {window} is larger than the padded input, {size}")
        padded.append((extent - 1) * spread[axis] + 1 + max(before, 0) + max(after, 0))
        counts.append((size - window) // params["stride"][axis] + 1)
    if batch * padded[0] * padded[1] * channels * x.dtype.itemsize > MAX_PADDED_BYTES:
        raise OperandError(f"the padded input has over {MAX_PADDED_BYTES} bytes")
    return batch, counts[0], counts[1]


def _broadcast(*shapes: Shape) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        text = " and ".join(str(list(shape)) for shape in shapes)
        raise OperandError(f"shapes {text} don't broadcast") from None


def _tiled(x: Shape, multiplies: Sequence[int]) -> Shape:
    if len(multiplies) != len(x):
        raise OperandError(f"multiplies {list(multiplies)} must have one entry per axis of {x}")
    return tuple(extent * count for extent, count in zip(x, multiplies, strict=True))


def _reduced(x: Shape, dims: Sequence[int], keep_dim: bool) -> Shape:
    axes = {dim + len(x) if dim < 0 else dim for dim in dims}
    if not all(0 <= axis < len(x) for axis in axes):
        raise OperandError(f"dims {list(dims)} aren't axes of {list(x)}")
    if keep_dim:
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(x))
    return tuple(extent for axis, extent in enumerate(x) if axis not in axes)


def _axes(descriptor: TensorDescriptor) -> tuple[int, int, int, int]:
    if len(descriptor.shape) != 4:
        raise OperandError(f"an operand has shape {list(descriptor.shape)}, expected 4 axes")
    first, second, third, fourth = descriptor.shape
    return first, second, third, fourth
