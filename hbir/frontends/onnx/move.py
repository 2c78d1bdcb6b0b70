"""Operators that only move elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends import compositions
from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import Value
from hbir.ir.types import shape_of


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from 0. Raises NoBpuForm for one that the tensor doesn't have."""
    if not -rank <= axis < rank:
        raise NoBpuForm(f"axis {axis} must lie in {-rank}..{rank - 1}")
    return axis % rank


@imports("Concat")
def concat(node: NodeImport) -> SSAValue:
    """Concat → concat."""
    values = [node.value(index) for index in range(node.input_count)]
    axis = axis_of(node.int_("axis", 1), len(node.shape(0)))
    if len(values) == 1:
        return values[0]
    return node.result("concat", *values, dim=axis)


@imports("Reshape")
def reshape(node: NodeImport) -> SSAValue:
    """Reshape → reshape. The shape must be constant."""
    old, new = node.shape(0), node.constant_ints(1, "its shape")
    if not node.int_("allowzero", 0):
        if any(size == 0 and axis >= len(old) for axis, size in enumerate(new)):
            raise HbirError(f"{node.node}: shape {new} copies axes that {list(old)} doesn't have")
        new = [old[axis] if size == 0 else size for axis, size in enumerate(new)]
    return _reshaped(node, _with_inferred(node, new, math.prod(old)))


def _with_inferred(node: NodeImport, shape: list[int], elements: int) -> list[int]:
    if shape.count(-1) > 1 or any(size < -1 for size in shape):
        raise HbirError(f"{node.node}: shape {shape} must have at most one -1")
    known = math.prod(size for size in shape if size != -1)
    fits = known == elements if -1 not in shape else known and elements % known == 0
    if not fits:
        raise HbirError(f"{node.node}: {elements} elements can't take shape {shape}")
    return [elements // known if size == -1 else size for size in shape]


def _reshaped(node: NodeImport, shape: Sequence[int]) -> SSAValue:
    """The input in another shape, as the node's result; itself when it has that shape."""
    return node.reshape(node.value(0), shape, node.origin())


@imports("Flatten")
def flatten(node: NodeImport) -> SSAValue:
    """Flatten → reshape to two axes."""
    shape = node.shape(0)
    axis = node.int_("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise NoBpuForm(f"axis {axis} must lie in {-len(shape)}..{len(shape)}")
    axis = axis + len(shape) if axis < 0 else axis
    return _reshaped(node, (math.prod(shape[:axis]), math.prod(shape[axis:])))


@imports("Squeeze")
def squeeze(node: NodeImport) -> SSAValue:
    """Squeeze → reshape. The axes are an attribute before opset 13."""
    shape = node.shape(0)
    axes = node.integers("axes", 1, None)
    if axes is None:
        return _reshaped(node, [size for size in shape if size != 1])
    dropped = {axis_of(axis, len(shape)) for axis in axes}
    if any(shape[axis] != 1 for axis in dropped):
        raise HbirError(f"{node.node}: axes {axes} of shape {list(shape)} must have extent 1")
    return _reshaped(node, [size for axis, size in enumerate(shape) if axis not in dropped])


@imports("Unsqueeze")
def unsqueeze(node: NodeImport) -> SSAValue:
    """Unsqueeze → reshape. The axes are an attribute before opset 13."""
    shape = node.shape(0)
    axes = node.integers("axes", 1, None) or []
    rank = len(shape) + len(axes)
    added = {axis_of(axis, rank) for axis in axes}
    if len(added) != len(axes):
        raise HbirError(f"{node.node}: axes {axes} must name each axis once")
    rest = iter(shape)
    return _reshaped(node, [1 if axis in added else next(rest) for axis in range(rank)])


@imports("Expand")
def expand(node: NodeImport) -> SSAValue:
    """Expand → tile, or reshape where it only adds axes. The shape must be constant."""
    old, wanted = node.shape(0), node.constant_ints(1, "its shape")
    rank = max(len(old), len(wanted))
    padded = [1] * (rank - len(old)) + list(old)
    target = [1] * (rank - len(wanted)) + wanted
    shape = [a if b == 1 else b for a, b in zip(padded, target, strict=True)]
    if any(a not in (1, b) for a, b in zip(padded, shape, strict=True)):
        raise HbirError(f"{node.node}: {list(old)} does not broadcast to {wanted}")
    return compositions.expand(node, node.value(0), shape)


@imports("Tile")
def tile(node: NodeImport) -> SSAValue:
    """Tile → tile. The repeats must be constant."""
    multiplies = node.constant_ints(1, "its repeats")
    if all(count == 1 for count in multiplies):
        return node.value(0)
    return node.result("tile", node.value(0), multiplies=multiplies)


@imports("Transpose")
def transpose(node: NodeImport) -> SSAValue:
    """Transpose → transpose."""
    rank = len(node.shape(0))
    perm = node.ints("perm", list(reversed(range(rank)))) or []
    if sorted(perm) != list(range(rank)):
        raise HbirError(f"{node.node}: perm {perm} must be a permutation of {rank} axes")
    return node.transpose(node.value(0), perm, node.origin())


@imports("Slice")
def slice_(node: NodeImport) -> SSAValue:
    """Slice → slice. Bounds must be constant and steps positive."""
    shape = node.shape(0)
    starts, ends = node.integers("starts", 1, None), node.integers("ends", 2, None)
    if starts is None or ends is None or len(starts) != len(ends):
        raise HbirError(f"{node.node}: starts and ends must be lists of one length")
    axes = node.integers("axes", 3, None) or list(range(len(starts)))
    steps = node.constant_ints(4, "steps") if node.has(4) else [1] * len(starts)
    if not len(axes) == len(steps) == len(starts):
        raise HbirError(f"{node.node}: axes and steps must be as many as starts")
    begin, end, step = [0] * len(shape), list(shape), [1] * len(shape)
    for axis, first, last, stride in zip(axes, starts, ends, steps, strict=True):
        if stride < 1:
            raise NoBpuForm(f"steps must be positive, got {steps}")
        position = axis_of(axis, len(shape))
        begin[position], end[position], _ = slice(first, last).indices(shape[position])
        step[position] = stride
    if (begin, tuple(end), set(step)) == ([0] * len(shape), shape, {1}):
        return node.value(0)
    return node.result("slice", node.value(0), begin=begin, end=end, step=step)


@imports("Split")
def split(node: NodeImport) -> list[Value]:
    """Split → a slice per result. The lengths must be constant."""
    shape = node.shape(0)
    axis = axis_of(node.int_("axis", 0), len(shape))
    lengths = node.integers("split", 1, None) or _even_split(
        shape[axis], node.int_("num_outputs", len(node.node.outputs))
    )
    if sum(lengths) != shape[axis] or len(lengths) != len(node.node.outputs):
        raise HbirError(
            f"{node.node}: split {lengths} must divide the {shape[axis]} elements of axis {axis}"
            f" into {len(node.node.outputs)} results"
        )
    results: list[Value] = []
    first = 0
    for output, length in enumerate(lengths):
        begin, end = [0] * len(shape), list(shape)
        begin[axis], end[axis] = first, first + length
        first += length
        results.append(
            node.result("slice", node.value(0), output=output, begin=begin, end=end)
            if node.node.outputs[output]
            else node.raw(0)
        )
    return results


def _even_split(size: int, parts: int) -> list[int]:
    """Equal lengths; from opset 18 the last may be shorter."""
    length = -(-size // max(1, parts))
    return [max(0, min(length, size - length * part)) for part in range(parts)]


@imports("Pad")
def pad(node: NodeImport) -> SSAValue:
    """Pad with a constant → pad; negative pads → slice. Pads and value must be constant."""
    shape = node.shape(0)
    mode = node.str_("mode", "constant")
    if mode != "constant":
        raise NoBpuForm(f"mode must be constant, got {mode!r}")
    pads = node.integers("pads", 1, None) or []
    axes = node.constant_ints(3, "axes") if node.has(3) else list(range(len(shape)))
    if len(pads) != 2 * len(axes):
        raise HbirError(f"{node.node}: pads must have {2 * len(axes)} entries, got {pads}")
    begin, end = [0] * len(shape), [0] * len(shape)
    for position, axis in enumerate(axes):
        begin[axis_of(axis, len(shape))] = pads[position]
        end[axis_of(axis, len(shape))] = pads[position + len(axes)]
    return compositions.padded(node, node.value(0), begin, end, _pad_value(node))


def _pad_value(node: NodeImport) -> float:
    if node.has(2):
        value = node.constant(2, "its padding value")
        return float(value.reshape(-1)[0]) if value.size else 0.0
    return node.float_("value", 0.0)


@imports("DepthToSpace")
def depth_to_space(node: NodeImport) -> SSAValue:
    """DepthToSpace → reshape, transpose, reshape on the channel-last tensor."""
    x, block = _block_input(node)
    batch, height, width, channels = shape_of(x)
    if channels % (block * block):
        raise NoBpuForm(f"its {channels} channels must be a multiple of blocksize² = {block**2}")
    mode, rest = node.str_("mode", "DCR"), channels // (block * block)
    match mode:
        case "DCR":  # the channels hold (block row, block column, channel)
            parts, dims = (block, block, rest), (0, 1, 3, 2, 4, 5)
        case "CRD":  # the channels hold (channel, block row, block column)
            parts, dims = (rest, block, block), (0, 1, 4, 2, 5, 3)
        case _:
            raise NoBpuForm(f"mode must be DCR or CRD, got {mode!r}")
    blocks = node.reshape(x, (batch, height, width, *parts), node.step("blocks"))
    spread = node.transpose(blocks, dims, node.step("spread"))
    shape = (batch, height * block, width * block, rest)
    last = node.reshape(spread, shape, node.origin(perm=channel_last(4)))
    return node.channel_first_result(last)


@imports("SpaceToDepth")
def space_to_depth(node: NodeImport) -> SSAValue:
    """SpaceToDepth → reshape, transpose, reshape on the channel-last tensor."""
    x, block = _block_input(node)
    batch, height, width, channels = shape_of(x)
    if height % block or width % block:
        raise NoBpuForm(f"{height}x{width} must be multiples of blocksize {block}")
    mode = node.str_("mode", "DCR")  # an attribute of the newest opsets
    match mode:
        case "DCR":
            dims = (0, 1, 3, 2, 4, 5)
        case "CRD":
            dims = (0, 1, 3, 5, 2, 4)
        case _:
            raise NoBpuForm(f"mode must be DCR or CRD, got {mode!r}")
    rows, columns = height // block, width // block
    blocks = node.reshape(x, (batch, rows, block, columns, block, channels), node.step("blocks"))
    gathered = node.transpose(blocks, dims, node.step("gathered"))
    shape = (batch, rows, columns, block * block * channels)
    last = node.reshape(gathered, shape, node.origin(perm=channel_last(4)))
    return node.channel_first_result(last)


def _block_input(node: NodeImport) -> tuple[SSAValue, int]:
    if len(node.shape(0)) != 4:
        raise NoBpuForm(f"its input must have rank 4, it has {len(node.shape(0))}")
    block = node.int_("blocksize", 0)
    if block < 1:
        raise NoBpuForm(f"blocksize must be at least 1, got {block}")
    return node.spatial_input(0), block
