"""Shape rules of the moves, shared by the float and the quantized level's dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbir.dialects.checks import axes_of, axis_of, expect, int_list


def concatenated_shape(shapes: Sequence[tuple[int, ...]], dim: int) -> tuple[int, ...]:
    """The shape of tensors put one after the other along `dim`."""
    expect(len(shapes) >= 1, "concat needs at least one operand")
    first = shapes[0]
    axis = axis_of(dim, len(first), "dim")
    for index, shape in enumerate(shapes):
        fits = len(shape) == len(first) and all(
            size == first[i] for i, size in enumerate(shape) if i != axis
        )
        expect(
            fits,
            f"operand {index} of shape {list(shape)} does not fit operand 0 of shape"
            f" {list(first)}: they may differ in dimension {axis} only",
        )
    return *first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :]


def sliced_shape(shape: tuple[int, ...], params: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape of a slice by the lists `begin`, `end` and (when given) `step`."""
    rank = len(shape)
    begin, end = int_list(params, "begin", rank, minimum=0), int_list(params, "end", rank)
    has_step = params.get("step") is not None
    step = int_list(params, "step", rank, minimum=1) if has_step else (1,) * rank
    for axis, size in enumerate(shape):
        expect(
            begin[axis] < end[axis] <= size,
            f"slice {begin[axis]}:{end[axis]} of dimension {axis} must lie in 0:{size} and not be"
            " empty",
        )
    return tuple(-(-(e - b) // s) for b, e, s in zip(begin, end, step, strict=True))


def reshaped_shape(shape: tuple[int, ...], new_shape: tuple[int, ...]) -> tuple[int, ...]:
    """`new_shape`, which must have as many elements as `shape`."""
    expect(all(size >= 0 for size in new_shape), f"shape must be given, got {list(new_shape)}")
    expect(
        _elements(shape) == _elements(new_shape),
        f"x of shape {list(shape)} has {_elements(shape)} elements, shape {list(new_shape)} has"
        f" {_elements(new_shape)}",
    )
    return new_shape


def transposed_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` permuted by `dims`."""
    expect(
        sorted(dims) == list(range(len(shape))),
        f"dims must be a permutation of {list(range(len(shape)))}, got {list(dims)}",
    )
    return tuple(shape[axis] for axis in dims)


def padded_shape(shape: tuple[int, ...], params: Mapping[str, Any]) -> tuple[int, ...]:
    """`shape` lengthened by the lists `begin` and `end`."""
    begin = int_list(params, "begin", len(shape), minimum=0)
    end = int_list(params, "end", len(shape), minimum=0)
    return tuple(b + size + e for b, size, e in zip(begin, shape, end, strict=True))


def tiled_shape(shape: tuple[int, ...], params: Mapping[str, Any]) -> tuple[int, ...]:
    """`shape` with each extent taken `multiplies` times."""
    multiplies = int_list(params, "multiplies", len(shape), minimum=1)
    return tuple(size * count for size, count in zip(shape, multiplies, strict=True))


def one_axis_reduced_shape(shape: tuple[int, ...], params: Mapping[str, Any]) -> tuple[int, ...]:
    """`shape` without the one axis in `dims`, or with extent 1 there (`keep_dim`)."""
    axes = axes_of(params["dims"], len(shape), "dims")
    expect(len(axes) == 1, f"dims must name one dimension, got {list(params['dims'])}")
    expect(shape[axes[0]] > 0, f"x of shape {list(shape)} has no elements along dims {list(axes)}")
    kept = (1,) if params["keep_dim"] else ()
    return *shape[: axes[0]], *kept, *shape[axes[0] + 1 :]


def best_shape(shape: tuple[int, ...], params: Mapping[str, Any]) -> tuple[int, ...]:
    """`shape` with extent `k` along `dim`."""
    axis = axis_of(params["dim"], len(shape), "dim")
    k = params["k"]
    expect(1 <= k <= shape[axis], f"k must be in 1..{shape[axis]} for dim {axis}, got {k}")
    return *shape[:axis], k, *shape[axis + 1 :]


def indexed_shape(shape: tuple[int, ...], index: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """`shape` with the axes of `index` in the place of the axis `dim`."""
    axis = axis_of(dim, len(shape), "dim")
    expect(shape[axis] > 0, f"x of shape {list(shape)} has no elements along dim {axis}")
    return *shape[:axis], *index, *shape[axis + 1 :]


def gathered_elements_shape(
    shape: tuple[int, ...], index: tuple[int, ...], dim: int
) -> tuple[int, ...]:
    """The shape of one element per index, one of which is taken along `dim`: that of `index`."""
    axis = axis_of(dim, len(shape), "dim")
    fits = len(index) == len(shape) and all(
        size <= shape[other] for other, size in enumerate(index) if other != axis
    )
    expect(
        fits and shape[axis] > 0,
        f"index of shape {list(index)} must have the rank of x of shape {list(shape)}, and no"
        f" greater extents but in dimension {axis}",
    )
    return index


def gathered_nd_shape(
    shape: tuple[int, ...], index: tuple[int, ...], batch_dim: int
) -> tuple[int, ...]:
    """The shape of one part of x per place, whose indices the last axis of `index` holds."""
    expect(
        0 <= batch_dim < min(len(shape), len(index)) and shape[:batch_dim] == index[:batch_dim],
        f"x of shape {list(shape)} and index of shape {list(index)} must share their first"
        f" {batch_dim} extents and have more",
    )
    rest = len(shape) - batch_dim
    expect(
        1 <= index[-1] <= rest and 0 not in shape[batch_dim : batch_dim + index[-1]],
        f"the last extent of index of shape {list(index)} must be in 1..{rest}, the axes of x of"
        f" shape {list(shape)} that it can index",
    )
    return *index[:-1], *shape[batch_dim + index[-1] :]


def grid_sampled_shape(shape: tuple[int, ...], grid: tuple[int, ...]) -> tuple[int, ...]:
    """(N, OH, OW, C) of x: (N, H, W, C) and grid: (N, OH, OW, 2)."""
    expect(len(shape) == 4, f"x must be (N, H, W, C) (rank 4), got shape {list(shape)}")
    expect(
        len(grid) == 4 and grid[0] == shape[0] and grid[3] == 2,
        f"grid must be ({shape[0]}, OH, OW, 2) for x of shape {list(shape)}, got {list(grid)}",
    )
    expect(shape[1] >= 1 and shape[2] >= 1, "x must have at least one element to sample")
    return *grid[:3], shape[3]


def _elements(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
