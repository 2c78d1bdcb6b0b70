"""Checks that shape inference is made of. Each raises ShapeError naming what was expected.

Operands go by their names in the op's docstring, properties by their published names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbir.ir.op import ShapeError
from hbir.ir.types import F32, SI8, SI16, SI32, SI64, AnyTensor


def expect(condition: bool, message: str) -> None:
    """Raise ShapeError with `message` unless `condition`."""
    if not condition:
        raise ShapeError(message)


def expect_rank(operand: AnyTensor, name: str, rank: int, layout: str) -> tuple[int, ...]:
    """The operand's shape, which must have `rank` dimensions; `layout` names them."""
    shape = operand.get_shape()
    if len(shape) != rank:
        raise ShapeError(f"{name} must be {layout} (rank {rank}), got shape {list(shape)}")
    return shape


def expect_float32(operands: Sequence[AnyTensor], names: Sequence[str]) -> None:
    """All operands must hold f32; `names` has one name each, the last standing for the rest."""
    for index, operand in enumerate(operands):
        if operand.get_element_type() != F32:
            name = names[min(index, len(names) - 1)]
            raise ShapeError(f"{name} must hold f32, got {operand.get_element_type()}")


def expect_integers(operand: AnyTensor, name: str) -> None:
    """The operand must hold si8, si16, si32 or si64."""
    if operand.get_element_type() not in (SI8, SI16, SI32, SI64):
        raise ShapeError(f"{name} must hold signed integers, got {operand.get_element_type()}")


def expect_same_element(operands: Sequence[AnyTensor]) -> None:
    """All operands must hold the same element type."""
    first = operands[0].get_element_type()
    for index, operand in enumerate(operands):
        if operand.get_element_type() != first:
            raise ShapeError(
                f"operands must hold one element type, operand 0 holds {first} and operand"
                f" {index} {operand.get_element_type()}"
            )


def int_list(
    params: Mapping[str, Any],
    key: str,
    length: int,
    *,
    minimum: int | None = None,
    name: str | None = None,
) -> tuple[int, ...]:
    """The integer list `params[key]`: `length` entries, each at least `minimum`."""
    values: tuple[int, ...] = params[key]
    name = name or key
    if len(values) != length:
        raise ShapeError(f"{name} must have {length} entries, got {list(values)}")
    if minimum is not None and any(value < minimum for value in values):
        raise ShapeError(f"{name} must be at least {minimum}, got {list(values)}")
    return values


def axis_of(value: int, rank: int, name: str) -> int:
    """A dimension number as 0…rank−1; negative ones count from the last."""
    if not -rank <= value < rank:
        raise ShapeError(f"{name} must be in {-rank}..{rank - 1} for rank {rank}, got {value}")
    return value % rank


def axes_of(values: Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """Dimension numbers as 0…rank−1, each at most once, ascending."""
    axes = sorted(axis_of(value, rank, name) for value in values)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name} must name each dimension once, got {list(values)}")
    return tuple(axes)


def broadcast_shape(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to by NumPy's rules."""
    rank = max(len(shape) for shape in shapes)
    result: list[int] = []
    for axis in range(-rank, 0):
        extents = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(extents) > 1:
            text = " and ".join(str(list(shape)) for shape in shapes)
            raise ShapeError(f"shapes {text} do not broadcast (dimension {axis})")
        result.append(extents.pop() if extents else 1)
    return tuple(result)


def expect_one_of(value: str, allowed: Sequence[str], name: str) -> str:
    """A name out of a few."""
    if value not in allowed:
        quoted = ", ".join(f'"{choice}"' for choice in allowed)
        raise ShapeError(f'{name} must be one of {quoted}, got "{value}"')
    return value
