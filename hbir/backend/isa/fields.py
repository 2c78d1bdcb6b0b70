"""What an instruction's row says: the kinds of its parameters, and how values become words.

`table.py` has the rows.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hbir.backend.isa.enums import Engine, Flag
from hbir.errors import HbirError

MAX_RANK = 6
"""Most axes of a tensor operand."""
MAX_OPERANDS = 6

NONE = -(1 << 63)
"""The word that says that an optional parameter, or a list's element, is absent."""


class Kind(Enum):
    """How a parameter's Python value maps to words."""

    INT = "integer"
    BOOL = "boolean"
    FLOAT32 = "float32"
    """The float32's bit pattern."""
    CHOICE = "name"
    """The index of a name in `choices`."""
    TUPLE = "tuple of integers"
    """Always as many integers as `parts` names."""
    LIST = "list of integers"
    """At most MAX_RANK integers, the rest absent."""


@dataclass(frozen=True)
class Parameter:
    """One keyword argument of a kernel, and the words that encode it."""

    name: str
    kind: Kind = Kind.INT
    parts: tuple[str, ...] = ()
    """Suffixes of a tuple's words: ("h", "w")."""
    default: Any = None
    required: bool = False
    """The builder must give it; otherwise `default` stands for what isn't given."""
    minimum: int = -(1 << 31)
    maximum: int = (1 << 31) - 1
    """Range of each integer, checked when encoding and when decoding."""
    choices: tuple[str, ...] = ()
    doc: str = ""

    @property
    def optional(self) -> bool:
        """Whether None is a value of it."""
        return self.default is None and not self.required

    @property
    def words(self) -> int:
        """How many words it takes."""
        if self.kind is Kind.TUPLE:
            return len(self.parts)
        return MAX_RANK if self.kind is Kind.LIST else 1

    def encode(self, value: Any) -> tuple[int, ...]:
        """The words of a Python value. Raises HbirError when it is not one of this parameter's."""
        if value is None:
            if not self.optional:
                raise HbirError(f"parameter {self.name} can't be absent")
            return (NONE,) * self.words
        match self.kind:
            case Kind.BOOL:
                return (int(bool(value)),)
            case Kind.FLOAT32:
                return (_float_bits(float(value)),)
            case Kind.CHOICE:
                return (self._choice_index(value),)
            case Kind.INT:
                return (self._checked(int(value)),)
            case Kind.TUPLE:
                values = tuple(self._checked(int(v)) for v in value)
                if len(values) != len(self.parts):
                    raise HbirError(
                        f"parameter {self.name} takes {len(self.parts)} integers, got {len(values)}"
                    )
                return values
            case Kind.LIST:
                values = tuple(self._checked(int(v)) for v in value)
                if len(values) > MAX_RANK:
                    raise HbirError(f"parameter {self.name} takes at most {MAX_RANK} integers")
                return values + (NONE,) * (MAX_RANK - len(values))

    def decode(self, words: tuple[int, ...]) -> Any:
        """The Python value of its words. Raises HbirError when they encode none."""
        if words[0] == NONE and self.optional:
            return None
        match self.kind:
            case Kind.BOOL:
                if words[0] not in (0, 1):
                    raise HbirError(f"parameter {self.name} is {words[0]}, expected 0 or 1")
                return bool(words[0])
            case Kind.FLOAT32:
                return _float_of_bits(self.name, words[0])
            case Kind.CHOICE:
                if not 0 <= words[0] < len(self.choices):
                    raise HbirError(
                        f"parameter {self.name} is {words[0]}, expected below {len(self.choices)}"
                    )
                return self.choices[words[0]]
            case Kind.INT:
                return self._checked(words[0])
            case Kind.TUPLE:
                return tuple(self._checked(word) for word in words)
            case Kind.LIST:
                count = words.index(NONE) if NONE in words else len(words)
                return tuple(self._checked(word) for word in words[:count])

    def _choice_index(self, value: Any) -> int:
        if value not in self.choices:
            raise HbirError(
                f"parameter {self.name} is {value!r}, expected one of {', '.join(self.choices)}"
            )
        return self.choices.index(value)

    def _checked(self, value: int) -> int:
        if not self.minimum <= value <= self.maximum:
            raise HbirError(
                f"parameter {self.name} is {value}, expected {self.minimum}..{self.maximum}"
            )
        return value


def _float_bits(value: float) -> int:
    return struct.unpack("<I", struct.pack("<f", value))[0]


def _float_of_bits(name: str, word: int) -> float:
    if not 0 <= word < 1 << 32:
        raise HbirError(f"parameter {name} is {word}, expected the 32 bits of a float")
    return struct.unpack("<f", struct.pack("<I", word))[0]


@dataclass(frozen=True)
class Instruction:
    """One row of the table."""

    mnemonic: str
    number: int
    kernel: str
    """Name in the kernel table; empty for the moves, which the machine does itself."""
    operands: tuple[str, ...]
    """Written ones first, then the kernel's array arguments in their order; `?` marks those that
    may be absent."""
    engines: tuple[Engine, ...]
    """Engines whose queues may hold it."""
    parameters: tuple[Parameter, ...] = ()
    default_flags: Flag = Flag.NONE
    allowed_flags: Flag = Flag.NONE
    doc: str = ""
    by_name: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter], compare=False)
    word_count: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {p.name: p for p in self.parameters})
        object.__setattr__(self, "word_count", sum(p.words for p in self.parameters))
        if len(self.operands) > MAX_OPERANDS:
            raise ValueError(f"{self.mnemonic} has more than {MAX_OPERANDS} operands")

    def encode(self, params: Mapping[str, Any]) -> tuple[int, ...]:
        """The words of keyword arguments. Raises HbirError naming one that doesn't fit."""
        words: list[int] = []
        given = 0
        for parameter in self.parameters:
            if parameter.name in params:
                given += 1
                value = params[parameter.name]
            elif parameter.required:
                raise HbirError(f"{self.mnemonic} needs parameter {parameter.name}")
            else:
                value = parameter.default
            words += parameter.encode(value)
        if given != len(params):
            unknown = ", ".join(k for k in params if k not in self.by_name)
            raise HbirError(f"{self.mnemonic} has no parameter {unknown}")
        return tuple(words)

    def decode(self, words: tuple[int, ...]) -> dict[str, Any]:
        """The keyword arguments of `word_count` words. Raises HbirError for words out of range."""
        params: dict[str, Any] = {}
        at = 0
        for parameter in self.parameters:
            params[parameter.name] = parameter.decode(words[at : at + parameter.words])
            at += parameter.words
        return params
