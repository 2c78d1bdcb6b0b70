"""Typed readers of a quant_config's values; each message names the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from hbir.errors import HbirError, did_you_mean

T = TypeVar("T", str, int, float, bool)

TOO_LARGE = 1 << 63
"""Python's own integers have no end, and neither have those of a JSON file."""


class QuantConfigError(HbirError):
    """A quant_config that can't be: the key, what was expected and what came."""


def mapping(where: str, value: object) -> Mapping[str, Any]:
    """An object of a JSON file; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise QuantConfigError(f"{where}: expected an object, got {value!r}")
    return {str(key): item for key, item in cast(Mapping[object, Any], value).items()}


def check_keys(where: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse keys that aren't known."""
    for key in given:
        if key not in known:
            takes = f"it takes {', '.join(known)}{did_you_mean(key, known)}"
            raise QuantConfigError(f"{where}: unknown key '{key}'; {takes}")


def one(where: str, value: object, kind: type[T]) -> T:
    """A value of a type; integers count as floats, and booleans as neither."""
    if type(value) is int and abs(value) >= TOO_LARGE:
        raise QuantConfigError(f"{where}: expected {_NAMES[kind]} below 2^63, got a larger one")
    given: object = float(value) if kind is float and type(value) is int else value
    if type(given) is not kind:
        raise QuantConfigError(f"{where}: expected {_NAMES[kind]}, got {value!r}")
    return cast(T, given)


def several(where: str, value: object, kind: type[T], default: T) -> list[T]:
    """A value or a list of them; `default` where there is none."""
    if value is None:
        return [default]
    if not isinstance(value, list | tuple):
        return [one(where, value, kind)]
    items = [one(where, item, kind) for item in cast(Sequence[object], value)]
    if not items:
        raise QuantConfigError(f"{where}: the list is empty")
    return items


def one_of(where: str, value: object, choices: Sequence[str]) -> str:
    """A value that must be one of some."""
    if value not in choices:
        raise QuantConfigError(f"{where}: expected one of {', '.join(choices)}, got {value!r}")
    return str(value)


_NAMES: dict[type, str] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
}  # fmt: skip
