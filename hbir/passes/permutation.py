"""Permutations of axes: `dims[i]` is the source axis of result axis i, as in `hbir.transpose`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Dims = tuple[int, ...]


def identity(rank: int) -> Dims:
    """The permutation that changes nothing."""
    return tuple(range(rank))


def inverse(dims: Sequence[int]) -> Dims:
    """The permutation that undoes `dims`."""
    result = [0] * len(dims)
    for axis, source in enumerate(dims):
        result[source] = axis
    return tuple(result)


def compose(first: Sequence[int], second: Sequence[int]) -> Dims:
    """The permutation of `first`, then `second`."""
    return tuple(first[axis] for axis in second)


def moves_nothing(shape: Sequence[int], dims: Sequence[int]) -> bool:
    """Whether transposing `shape` by `dims` moves axes of extent 1 only, hence no elements."""
    moved = [axis for axis in dims if shape[axis] != 1]
    return moved == sorted(moved)


@dataclass(frozen=True)
class ReshapeOfTranspose:
    """reshape(transpose(u)) as transpose(reshape(transpose(u, before), shape), after)."""

    before: Dims
    shape: tuple[int, ...]
    after: Dims

    def is_split(self, source: Sequence[int]) -> bool:
        """Whether elements of u, of shape `source`, move both before and after the reshape: two
        transposes for one, worth it only where what is left behind the reshape may cancel."""
        before_moves = not moves_nothing(source, self.before)
        return before_moves and not moves_nothing(self.shape, self.after)


def through_reshape(
    source: Sequence[int], dims: Sequence[int], shape: Sequence[int]
) -> ReshapeOfTranspose | None:
    """Move a transpose by `dims` (of a tensor of shape `source`) behind the reshape to `shape`.

    The reshape splits and merges axes in groups: neighbouring axes of one extent product. A whole
    group can be moved behind it; what is permuted within a group must happen before. Axes of
    extent 1 are ignored, then put back. None when there are no elements.
    """
    transposed = [source[axis] for axis in dims]
    groups = _groups(transposed, shape)
    if groups is None:
        return None
    # Where each group begins in u decides the order of the groups there.
    order = sorted(
        range(len(groups)),
        key=lambda g: min((dims[axis] for axis in groups[g][0]), default=-1),
    )
    before = tuple(dims[axis] for group in order for axis in groups[group][0])
    ones = [axis for axis in range(len(source)) if axis not in before]
    new_axes = [axis for group in order for axis in groups[group][1]]
    return ReshapeOfTranspose(
        _with_axes(before, ones),
        tuple(shape[axis] for axis in new_axes),
        inverse(new_axes),
    )


def _with_axes(dims: Sequence[int], ones: Sequence[int]) -> Dims:
    """`dims` with the axes `ones` (of extent 1) inserted where they disturb the order least."""
    result = list(dims)
    for axis in ones:
        behind = [position for position, other in enumerate(result) if other > axis]
        result.insert(behind[0] if behind else len(result), axis)
    return tuple(result)


def _groups(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]] | None:
    """Pairs of old and new axes whose extents have equal products, from the left.

    Old axes of extent 1 are in no group; new ones belong to the group before them, leading ones to
    a first group of their own.
    """
    if 0 in old:
        return None
    old_axes = [axis for axis, size in enumerate(old) if size != 1]
    groups: list[tuple[list[int], list[int]]] = []
    position = 0
    left, right = 1, 1
    for axis, size in enumerate(new):
        if size == 1:
            if not groups:
                groups.append(([], []))
            groups[-1][1].append(axis)
            continue
        if left == right:
            groups.append(([], []))
        groups[-1][1].append(axis)
        right *= size
        while left < right and position < len(old_axes):
            groups[-1][0].append(old_axes[position])
            left *= old[old_axes[position]]
            position += 1
    return groups
