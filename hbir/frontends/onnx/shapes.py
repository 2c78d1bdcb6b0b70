"""Shapes of graph inputs: hbir compiles static shapes, whatever way a file leaves them open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from hbir.errors import HbirError
from hbir.frontends.onnx.graph import Port
from hbir.frontends.onnx.proto import Dim, check_size

InputShapes: TypeAlias = Mapping[str, Sequence[int]] | Sequence[int] | None
"""Shapes by input name, or the one shape of a model with one input."""


def resolve_input_shapes(
    inputs: Sequence[Port], given: InputShapes, label: str
) -> dict[str, tuple[int, ...]]:
    """Each input's static shape: from `given`, else as the file says.

    An extent is open when the file has -1, 0, a parameter's name ('?', 'batch') or nothing for it.
    An open first extent becomes 1 (the batch); any other must be given. Raises HbirError that
    names the input and says how to give its shape.
    """
    shapes = _by_name(inputs, given, label)
    names = {port.name for port in inputs}
    for name in shapes:
        if name not in names:
            raise HbirError(
                f"{label}: input_shapes names {name!r}, the model's inputs are"
                f" {', '.join(sorted(names)) or 'none'}"
            )
    return {port.name: _resolve(port, shapes.get(port.name), label) for port in inputs}


def _by_name(inputs: Sequence[Port], given: InputShapes, label: str) -> dict[str, tuple[int, ...]]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {name: _checked(shape, name, label) for name, shape in given.items()}
    if len(inputs) != 1:
        raise HbirError(
            f"{label}: one shape was given, but the model has {len(inputs)} inputs"
            f" ({', '.join(port.name for port in inputs)}); give input_shapes as a dict by name"
        )
    return {inputs[0].name: _checked(given, inputs[0].name, label)}


def _checked(shape: Sequence[Any], name: str, label: str) -> tuple[int, ...]:
    extents: list[int] = []
    for extent in shape:
        if not isinstance(extent, int | np.integer) or int(cast(Any, extent)) < 1:
            raise HbirError(
                f"{label}: input_shapes[{name!r}] must be positive integers, got {list(shape)}"
            )
        extents.append(int(cast(Any, extent)))
    return tuple(extents)


def _resolve(port: Port, given: tuple[int, ...] | None, label: str) -> tuple[int, ...]:
    shape = _static_shape(port, label) if given is None else _fitting(port, given, label)
    check_size(shape, port.dtype or np.dtype(np.float32), f"{label}: input {port.name!r}")
    return shape


def is_open(dim: Dim) -> bool:
    """Whether an extent is left open."""
    return not isinstance(dim, int) or dim <= 0


def _static_shape(port: Port, label: str) -> tuple[int, ...]:
    if port.dims is None:
        raise _dynamic(port, "has no shape", label)
    if any(is_open(dim) for dim in port.dims[1:]):
        raise _dynamic(port, f"has shape {_dims_text(port.dims)}", label)
    return tuple(1 if is_open(dim) else cast(int, dim) for dim in port.dims)


def _dynamic(port: Port, what: str, label: str) -> HbirError:
    example = ", ".join("..." if is_open(d) else str(d) for d in port.dims or ("...",))
    return HbirError(
        f"{label}: The model is a dynamically input model. Please specify the 'input_shape'"
        f" parameter: input {port.name!r} {what}; pass"
        f" input_shapes={{{port.name!r}: ({example})}}"
    )


def _fitting(port: Port, given: tuple[int, ...], label: str) -> tuple[int, ...]:
    if port.dims is None:
        return given
    fits = len(given) == len(port.dims) and all(
        is_open(dim) or dim == extent for dim, extent in zip(port.dims, given, strict=True)
    )
    if not fits:
        raise HbirError(
            f"{label}: input {port.name!r} has shape {_dims_text(port.dims)}, which"
            f" input_shapes' {list(given)} does not fit"
        )
    return given


def _dims_text(dims: Sequence[Dim]) -> str:
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in dims) + "]"
