"""Operators that only move elements."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value
from hbir.ir.types import shape_of


@imports(
    "view.default",
    "_unsafe_view.default",
    "reshape.default",
    "flatten.using_ints",
    "unflatten.int",
    "squeeze.default",
    "squeeze.dim",
    "squeeze.dims",
    "unsqueeze.default",
)
def reshape(node: NodeImport) -> list[Value]:
    """view, reshape, flatten, squeeze, unsqueeze → reshape."""
    return [node.reshape(node.value("self"), node.shapes[0], node.origin())]


@imports("expand.default")
def expand(node: NodeImport) -> list[Value]:
    """expand → tile, or reshape where it only adds axes."""
    return [compositions.expand(node, node.value("self"), node.shapes[0])]


@imports("repeat.default")
def repeat(node: NodeImport) -> list[Value]:
    """repeat → tile, or reshape where it only adds axes."""
    shape, repeats = node.shape(), node.ints("repeats")
    value = node.reshape(node.value("self"), [1] * (len(repeats) - len(shape)) + list(shape))
    if all(count == 1 for count in repeats):
        return [value]
    return [node.result("tile", value, multiplies=repeats)]


@imports("permute.default")
def permute(node: NodeImport) -> SSAValue:
    """permute → transpose."""
    rank = len(node.shape())
    dims = [axis % rank for axis in node.ints("dims")]
    return node.transpose(node.value("self"), dims, node.origin())


@imports("transpose.int")
def transpose(node: NodeImport) -> SSAValue:
    """transpose of two axes → transpose."""
    rank = len(node.shape())
    dims = list(range(rank))
    first, second = node.axis("dim0", rank), node.axis("dim1", rank)
    if rank:
        dims[first], dims[second] = second, first
    return node.transpose(node.value("self"), dims, node.origin())


@imports("diagonal.default")
def diagonal(node: NodeImport) -> SSAValue:
    """diagonal → slice of the two axes as one: every element after the width and one more."""
    shape = node.shape()
    rank = len(shape)
    rows, columns = (node.axis(name, rank) for name in ("dim1", "dim2"))
    offset = node.int_("offset")
    others = [axis for axis in range(rank) if axis not in (rows, columns)]
    kept = [shape[axis] for axis in others]
    width, count = shape[columns], node.shapes[0][-1]
    moved = node.transpose(node.value("self"), [*others, rows, columns], node.step("moved"))
    flat = node.reshape(moved, [*kept, shape[rows] * width], node.step("flat"))
    first = offset if offset >= 0 else -offset * width
    end = first + (count - 1) * (width + 1) + 1
    return node.result(
        "slice",
        flat,
        begin=[*[0] * len(kept), first],
        end=[*kept, end],
        step=[*[1] * len(kept), width + 1],
    )


@imports("t.default", "numpy_T.default")
def reverse_axes(node: NodeImport) -> SSAValue:
    """t, .T → transpose."""
    return node.transpose(node.value("self"), list(range(len(node.shape())))[::-1], node.origin())


@imports("cat.default")
def cat(node: NodeImport) -> SSAValue:
    """cat → concat. Tensors of one axis without elements, which torch ignores, go."""
    parts = [part for part in node.operands("tensors") if part.shape != (0,)]
    if not parts:
        raise NoBpuForm("it must join at least one element")
    values = [node.materialized(part) for part in parts]
    if len(values) == 1:
        return values[0]
    return node.result("concat", *values, dim=node.axis("dim", len(parts[0].shape)))


@imports("stack.default")
def stack(node: NodeImport) -> SSAValue:
    """stack → reshapes and a concat."""
    axis = node.axis("dim", len(node.shapes[0]))
    parts = node.operands("tensors")
    shape = list(parts[0].shape)
    shape.insert(axis, 1)
    values = [node.reshape(node.materialized(part), shape) for part in parts]
    return values[0] if len(values) == 1 else node.result("concat", *values, dim=axis)


@imports("slice.Tensor", "narrow.default")
def slice_(node: NodeImport) -> list[Value]:
    """slice, narrow → slice."""
    shape = node.shape()
    axis = node.axis("dim", len(shape))
    first = node.argument("start") or 0
    if "length" in node.names:
        first = first % shape[axis]
        last, stride = first + node.int_("length"), 1
    else:
        last, stride = node.argument("end"), node.int_("step")
    first, last, _ = slice(first, last).indices(shape[axis])
    return [_sliced(node, axis, first, last, stride)]


def _sliced(
    node: NodeImport, axis: int, first: int, last: int, stride: int = 1, output: int = 0
) -> SSAValue:
    shape = node.shape()
    begin, end, step = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis], step[axis] = first, last, stride
    if (first, last, stride) == (0, shape[axis], 1):
        return node.value("self")
    given = None if stride == 1 else step
    return node.result("slice", node.value("self"), output=output, begin=begin, end=end, step=given)


@imports("select.int")
def select(node: NodeImport) -> list[Value]:
    """select → slice and reshape."""
    shape = node.shape()
    axis = node.axis("dim", len(shape))
    place = node.int_("index") % shape[axis]
    return [compositions.select(node, node.value("self"), axis, place)]


@imports("unbind.int")
def unbind(node: NodeImport) -> list[Value]:
    """unbind → a slice and reshape per result."""
    axis, value = node.axis("dim", len(node.shape())), node.value("self")
    return [
        compositions.select(node, value, axis, place, place) for place in range(len(node.shapes))
    ]


@imports("split.Tensor", "split_with_sizes.default", "chunk.default", "tensor_split.sections")
def split(node: NodeImport) -> list[Value]:
    """split, chunk → a slice per result."""
    axis = node.axis("dim", len(node.shape()))
    results: list[Value] = []
    first = 0
    for output, shape in enumerate(node.shapes):
        results.append(_sliced(node, axis, first, first + shape[axis], output=output))
        first += shape[axis]
    return results


@imports("pad.default", "constant_pad_nd.default")
def pad(node: NodeImport) -> list[Value]:
    """pad with a constant → pad; negative pads → slice."""
    mode = node.str_("mode") if "mode" in node.names else "constant"
    if mode != "constant":
        raise NoBpuForm(f"mode must be constant, got {mode!r}")
    shape, given = node.shape(), node.ints("pad")
    begin, end = [0] * len(shape), [0] * len(shape)
    for position in range(len(given) // 2):  # the last axis comes first
        begin[-1 - position], end[-1 - position] = given[2 * position], given[2 * position + 1]
    return [compositions.padded(node, node.value("self"), begin, end, node.float_("value", 0.0))]


@imports("slice_scatter.default")
def slice_scatter(node: NodeImport) -> list[Value]:
    """x[a:b] = y → a concat of y and what is left of x. The step must be 1."""
    shape = node.shape()
    axis = node.axis("dim", len(shape))
    if node.int_("step") != 1:
        raise NoBpuForm(f"step must be 1, got {node.int_('step')}")
    first, last, _ = slice(node.argument("start"), node.argument("end")).indices(shape[axis])
    parts = [node.value("src")]
    if first > 0:
        parts.insert(0, _kept(node, axis, 0, first))
    if last < shape[axis]:
        parts.append(_kept(node, axis, last, shape[axis]))
    return [parts[0] if len(parts) == 1 else node.result("concat", *parts, dim=axis)]


def _kept(node: NodeImport, axis: int, first: int, last: int) -> SSAValue:
    begin, end = [0] * len(node.shape()), list(node.shape())
    begin[axis], end[axis] = first, last
    return node.emit("slice", node.value("self"), begin=begin, end=end)


@imports("roll.default")
def roll(node: NodeImport) -> list[Value]:
    """roll → two slices and a concat per axis. It must name its axes."""
    shape, shifts, dims = node.shape(), node.ints("shifts"), node.ints("dims")
    if len(dims) != len(shifts):
        raise NoBpuForm("it must name its dims")
    value = node.value("self")
    for shift, dim in zip(shifts, dims, strict=True):
        axis = dim % len(shape)
        cut = -shift % shape[axis]
        if cut == 0:
            continue
        begin, end = [0] * len(shape), list(shape)
        begin[axis], end[axis] = cut, cut
        head = node.emit("slice", value, begin=[0] * len(shape), end=end)
        tail = node.emit("slice", value, begin=begin, end=shape)
        value = node.emit("concat", tail, head, dim=axis)
    return [value]


@imports("pixel_shuffle.default")
def pixel_shuffle(node: NodeImport) -> SSAValue:
    """pixel_shuffle → reshape, transpose, reshape on the channel-last tensor."""
    if len(node.shape()) != 4:
        raise NoBpuForm(f"its input must have rank 4, it has {len(node.shape())}")
    x, block = node.spatial_input("self", 2), node.int_("upscale_factor")
    batch, height, width, channels = shape_of(x)
    rest = channels // (block * block)
    blocks = node.reshape(x, (batch, height, width, rest, block, block), node.step("blocks"))
    spread = node.transpose(blocks, (0, 1, 4, 2, 5, 3), node.step("spread"))
    shape = (batch, height * block, width * block, rest)
    return node.channel_first_result(node.reshape(spread, shape, node.origin(perm=channel_last(4))))


@imports("pixel_unshuffle.default")
def pixel_unshuffle(node: NodeImport) -> SSAValue:
    """pixel_unshuffle → reshape, transpose, reshape on the channel-last tensor."""
    if len(node.shape()) != 4:
        raise NoBpuForm(f"its input must have rank 4, it has {len(node.shape())}")
    x, block = node.spatial_input("self", 2), node.int_("downscale_factor")
    batch, height, width, channels = shape_of(x)
    rows, columns = height // block, width // block
    blocks = node.reshape(x, (batch, rows, block, columns, block, channels), node.step("blocks"))
    gathered = node.transpose(blocks, (0, 1, 3, 5, 2, 4), node.step("gathered"))
    shape = (batch, rows, columns, channels * block * block)
    return node.channel_first_result(
        node.reshape(gathered, shape, node.origin(perm=channel_last(4)))
    )
