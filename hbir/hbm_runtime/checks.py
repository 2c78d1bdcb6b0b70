"""What calls of the board's runtime may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from hbir.errors import HbirError
from hbir.hbm import Graph
from hbir.interface import Array


class RuntimeValueError(HbirError, ValueError):
    """Something that a call was given and doesn't fit; scripts of boards catch ValueError."""


_INPUT_NAMES = ("input_tensor", "input_tensors", "multi_input_tensors")


def only_one(inputs: Any, named: Mapping[str, Any]) -> Any:
    """A call's inputs, whichever way they were given."""
    unknown = [name for name in named if name not in _INPUT_NAMES]
    if unknown:
        raise TypeError(f"run() got an unexpected keyword argument {unknown[0]!r}")
    given = [value for value in (inputs, *named.values()) if value is not None]
    if len(given) != 1:
        raise RuntimeValueError(f"run takes inputs once, got them {len(given)} times")
    return given[0]


def check_inputs(model: str, graph: Graph, feed: Mapping[str, Any]) -> None:
    """Names, dtypes and shapes as the board wants them: nothing is cast."""
    ports = {port.name: port for port in graph.flatten_inputs}
    for kind, names in (("no", set(feed) - set(ports)), ("no array for", set(ports) - set(feed))):
        if names:
            raise RuntimeValueError(
                f"model {model!r}: {kind} input {min(names)!r}; it takes {', '.join(ports)}"
            )
    for name, array in feed.items():
        kind = ports[name].type
        if not isinstance(array, np.ndarray):
            raise RuntimeValueError(
                f"model {model!r}: input {name!r} is a {type(array).__name__}, not a NumPy array"
            )
        given = cast(Array, array)
        if given.dtype != kind.np_dtype:
            raise RuntimeValueError(
                f"model {model!r}: input {name!r} is {kind.np_dtype}, got {given.dtype}"
            )
        if not kind.takes(given.shape):
            raise RuntimeValueError(
                f"model {model!r}: input {name!r} has shape {kind.shape_text}, got"
                f" {list(given.shape)}"
            )


def per_model(key: str, values: object) -> list[tuple[str, Any]]:
    """(model, value) of a scheduling parameter; none where it isn't given."""
    if values is None:
        return []
    if not isinstance(values, Mapping):
        raise RuntimeValueError(f"{key} is per model: expected {{model name: value}}")
    return list(cast("Mapping[str, Any]", values).items())


def integer(key: str, model: str, value: object, low: int, high: int) -> int:
    """A model's scheduling parameter, an integer in low...high."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise RuntimeValueError(f"{key} of {model!r}: expected an integer, got {value!r}")
    number = int(cast("int", value))
    if not low <= number <= high:
        raise RuntimeValueError(f"{key} of {model!r}: {number} is not in {low}...{high}")
    return number
