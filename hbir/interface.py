"""What users see of a network's inputs and outputs, the same on every level from float to .hbm.

It knows no IR, so that running a compiled model doesn't load any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

import numpy as np
from typing_extensions import override

from hbir.errors import HbirError

Array = np.ndarray[Any, Any]


_ELEMENT_NAMES = {
    "bool": "i1",
    **{f"float{bits}": f"f{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"si{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"ui{bits}" for bits in (8, 16, 32, 64)},
}
"""NumPy dtype → the element type of the IR."""


@dataclass(frozen=True)
class QuantInfo:
    """The quantization of an integer input or output; empty where there is none."""

    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    channel_axis: int | None = None


@dataclass(frozen=True)
class ArgumentType:
    """Shape, dtype and quantization of an input or output."""

    shape: tuple[int, ...]
    np_dtype: np.dtype[Any]
    quant_info: QuantInfo = QuantInfo()
    open_axes: tuple[int, ...] = ()
    """Axes whose extents each run gives; `shape` holds their maxima."""

    @property
    def run_shape(self) -> tuple[int | None, ...]:
        """The shape, None where each run gives the extent."""
        return tuple(None if i in self.open_axes else n for i, n in enumerate(self.shape))

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape fits: open extents are at least 1, at most the maximum."""
        if not self.open_axes:
            return shape == self.shape
        return len(shape) == len(self.shape) and all(
            1 <= extent <= most if axis in self.open_axes else extent == most
            for axis, (extent, most) in enumerate(zip(shape, self.shape, strict=True))
        )

    @property
    def valid_shape(self) -> tuple[int, ...]:
        """The shape, -1 where each run gives the extent: how the board's tools show it."""
        return tuple(-1 if extent is None else extent for extent in self.run_shape)

    @property
    def shape_text(self) -> str:
        """`[1, 224, 224, 3]`; open extents as `1...8192`."""
        extents = (
            f"1...{most}" if axis in self.open_axes else str(most)
            for axis, most in enumerate(self.shape)
        )
        return f"[{', '.join(extents)}]"

    @override
    def __str__(self) -> str:
        element = _ELEMENT_NAMES.get(str(self.np_dtype), str(self.np_dtype))
        return f"tensor<{'x'.join([*map(str, self.shape), element])}>"


@dataclass
class Argument:
    """One input or output of a function or graph."""

    name: str
    type: ArgumentType
    desc: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.type} {self.name}"


ArgumentT = TypeVar("ArgumentT", bound=Argument, covariant=True)


class Ports(Sequence[ArgumentT]):
    """Inputs or outputs, by position and by name."""

    def __init__(self, arguments: Sequence[ArgumentT]) -> None:
        self._arguments = tuple(arguments)
        self._by_name = {argument.name: argument for argument in self._arguments}

    @overload
    def __getitem__(self, key: int | str) -> ArgumentT: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[ArgumentT, ...]: ...
    @override
    def __getitem__(self, key: int | str | slice) -> ArgumentT | tuple[ArgumentT, ...]:
        if isinstance(key, str):
            if key not in self._by_name:
                raise HbirError(f"no {key!r} here; there is {', '.join(self._by_name)}")
            return self._by_name[key]
        return self._arguments[key]

    @override
    def __len__(self) -> int:
        return len(self._arguments)


def bind_inputs(what: str, ports: Sequence[Argument], given: Mapping[str, Any]) -> list[Array]:
    """The arrays of `given` in the order of `ports`, checked.

    A dtype of the same kind is cast (float64 to float32); anything else raises HbirError that
    names the input, what was expected and what came.
    """
    check_names(what, [port.name for port in ports], given)
    return [_bind(what, port, given[port.name]) for port in ports]


def check_names(what: str, names: Sequence[str], given: Mapping[str, Any]) -> None:
    """Raises HbirError unless `given` is a mapping with just these names."""
    if not isinstance(cast(object, given), Mapping):
        raise HbirError(
            f"{what}: expected a mapping from input names ({', '.join(names)}) to arrays, got a"
            f" {type(given).__name__}"
        )
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    if unknown or missing:
        said = [f"unknown {', '.join(map(repr, unknown))}"] if unknown else []
        said += [f"missing {', '.join(map(repr, missing))}"] if missing else []
        raise HbirError(f"{what}: inputs {'; '.join(said)}; it takes {', '.join(names)}")


def as_array(what: str, name: str, value: Any) -> Array:
    """What is given for an input, in this machine's byte order. Raises HbirError for what is no
    array, such as lists of different lengths."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise HbirError(f"{what}: input {name!r} is no array: {error}") from None
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _bind(what: str, port: Argument, value: Any) -> Array:
    array = as_array(what, port.name, value)
    if not port.type.takes(array.shape):
        raise HbirError(
            f"{what}: input {port.name!r} has shape {list(array.shape)}, expected"
            f" {port.type.shape_text}"
        )
    if array.dtype == port.type.np_dtype:
        return array
    if not np.can_cast(array.dtype, port.type.np_dtype, "same_kind"):
        raise HbirError(
            f"{what}: input {port.name!r} has dtype {array.dtype}, expected {port.type.np_dtype}"
        )
    return array.astype(port.type.np_dtype)
