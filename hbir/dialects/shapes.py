"""Shape rules of the moves, shared by the float and the quantized level's dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbir.dialects.checks import axis_of, expect, int_list


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


def _elements(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
