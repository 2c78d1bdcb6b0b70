"""JSON of files and texts, of which a reader trusts nothing: `Fields`.

Every value's type and every number's range is checked, with the path to it in the message.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from hbir.errors import HbirError


class StructureError(HbirError):
    """JSON that describes no program; the message has the path to the value."""


MAX_BYTES = 1 << 40
"""Bound on sizes and offsets that a file may claim."""
Json = Any


def dumps(value: Json) -> str:
    """Compact JSON with keys in the order given (which is fixed by the writer)."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def plain(value: Any) -> Json:
    """A parameter of a CPU call as JSON: arrays and bytes become tagged objects.

    Raises TypeError for values that no file can hold.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case np.ndarray():
            array = cast("np.ndarray[Any, Any]", value)
            data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
            dtype = array.dtype.newbyteorder("<").str
            return {"$array": data, "dtype": dtype, "shape": list(array.shape)}
        case np.generic():
            return cast(Json, value.item())
        case Mapping():
            mapping = cast("Mapping[str, Any]", value)
            return {str(key): plain(mapping[key]) for key in mapping}
        case list() | tuple():
            return [plain(item) for item in cast("Sequence[Any]", value)]
        case _:
            raise TypeError(f"{value!r} can't be written into a .hbm")


def unplain(value: Json, path: str) -> Any:
    """The parameter that `plain` wrote; lists come back as tuples. Raises StructureError."""
    if isinstance(value, list):
        return tuple(unplain(item, path) for item in cast("list[Json]", value))
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Json]", value)
    if "$bytes" in fields:
        return _decode(fields["$bytes"], path)
    if "$array" not in fields:
        return {key: unplain(item, f"{path}.{key}") for key, item in fields.items()}
    try:
        data = np.frombuffer(_decode(fields["$array"], path), np.dtype(str(fields["dtype"])))
        return data.reshape(tuple(int(d) for d in fields["shape"]))
    except (KeyError, TypeError, ValueError) as error:
        raise StructureError(f"{path}: malformed array ({error})") from None


def _decode(text: Json, path: str) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise StructureError(f"{path}: malformed base64") from None


class Fields:
    """A JSON object being read: typed access, errors that name the path."""

    def __init__(self, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise StructureError(f"{path}: expected an object")
        self.value = cast("dict[str, Json]", value)
        self.path = path

    def get(self, key: str) -> Json:
        """The value of a key."""
        if key not in self.value:
            raise StructureError(f"{self.path}: lacks {key!r}")
        return self.value[key]

    def integer(self, key: str, maximum: int = MAX_BYTES, minimum: int = 0) -> int:
        """An integer in a range."""
        return _integer(self.get(key), f"{self.path}.{key}", maximum, minimum)

    def text(self, key: str) -> str:
        """A string."""
        value = self.get(key)
        if not isinstance(value, str):
            raise StructureError(f"{self.path}.{key}: expected a string")
        return value

    def list(self, key: str) -> list[Json]:
        """A list."""
        value = self.get(key)
        if not isinstance(value, list):
            raise StructureError(f"{self.path}.{key}: expected a list")
        return cast("list[Json]", value)

    def integers(self, key: str, maximum: int = MAX_BYTES, minimum: int = 0) -> tuple[int, ...]:
        """A list of integers in a range."""
        return tuple(
            _integer(item, f"{self.path}.{key}[{i}]", maximum, minimum)
            for i, item in enumerate(self.list(key))
        )

    def objects(self, key: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(v, f"{self.path}.{key}[{i}]") for i, v in enumerate(self.list(key))]

    def mapping(self, key: str) -> dict[str, Json]:
        """An object as a dictionary."""
        return Fields(self.get(key), f"{self.path}.{key}").value


def _integer(value: Json, path: str, maximum: int, minimum: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise StructureError(f"{path}: expected an integer")
    if not minimum <= value <= maximum:
        raise StructureError(f"{path}: {value} is not in {minimum}..{maximum}")
    return value


def loads(data: bytes | memoryview | str, what: str) -> Fields:
    """The object of a JSON text. Raises StructureError naming `what`."""
    try:
        text = data if isinstance(data, str) else bytes(data).decode()
        return Fields(json.loads(text), what)
    except UnicodeDecodeError as error:
        raise StructureError(f"{what}: not text (byte {error.start} is not UTF-8)") from None
    except (ValueError, RecursionError) as error:
        raise StructureError(f"{what}: malformed JSON ({error})") from None
