"""Broken files: mutations of good ones, and what reading one may come to.

Reading must end in a module or in one BytecodeError that says where; and a module that was read
must be one that can be used: verified, printed, written again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from hbir.bytecode import BytecodeError, BytecodeWriteError, read_bytecode, write_bytecode
from hbir.errors import HbirError

MAX_SECONDS = 20.0
"""A mutation that takes longer is a failure; the slowest take about a second."""

_INTERESTING = (0, 1, 2, 3, 4, 0x10, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
_GIANT_NUMBERS = (
    b"\0" + b"\xff" * 8,  # 2⁶⁴ − 1
    b"\0" + b"\0" * 7 + b"\x80",
    b"\xf0\xff\xff\xff\x7f",
    b"\xfc\xff\xff",
    b"\xfe\xff",
)


class Misread(AssertionError):
    """A file that did something else than end in a module or in one clear error."""


@dataclass(frozen=True)
class Result:
    """What became of a file: `error` is None when it was read."""

    error: str | None
    seconds: float


def mutate(data: bytes, random_: random.Random, other: bytes) -> bytes:
    """`data` with one to four things changed; `other` is a file to take pieces from."""
    out = bytearray(data)
    for _ in range(random_.choice((1, 1, 1, 2, 3, 4))):
        random_.choice(_MUTATIONS)(out, random_, other)
    return bytes(out)


def _position(out: bytearray, random_: random.Random) -> int:
    return random_.randrange(len(out)) if out else 0


def _flip_bit(out: bytearray, random_: random.Random, other: bytes) -> None:
    if out:
        out[_position(out, random_)] ^= 1 << random_.randrange(8)


def _set_byte(out: bytearray, random_: random.Random, other: bytes) -> None:
    if out:
        choices = (random_.choice(_INTERESTING), random_.randrange(256))
        out[_position(out, random_)] = random_.choice(choices)


def _truncate(out: bytearray, random_: random.Random, other: bytes) -> None:
    del out[_position(out, random_) :]


def _delete(out: bytearray, random_: random.Random, other: bytes) -> None:
    start = _position(out, random_)
    del out[start : start + random_.choice((1, 1, 2, 4, 16))]


def _insert(out: bytearray, random_: random.Random, other: bytes) -> None:
    start = _position(out, random_)
    out[start:start] = random_.randbytes(random_.choice((1, 1, 2, 4)))


def _giant_number(out: bytearray, random_: random.Random, other: bytes) -> None:
    start = _position(out, random_)
    number = random_.choice(_GIANT_NUMBERS)
    out[start : start + random_.choice((1, len(number)))] = number


def _repeat(out: bytearray, random_: random.Random, other: bytes) -> None:
    start = _position(out, random_)
    piece = out[start : start + random_.choice((1, 4, 16, 64))]
    out[start:start] = piece * random_.choice((1, 2, 50))


def _splice(out: bytearray, random_: random.Random, other: bytes) -> None:
    start, size = _position(out, random_), random_.choice((4, 16, 64, 256))
    source = random_.randrange(len(other))
    out[start : start + size] = other[source : source + size]


_MUTATIONS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    _flip_bit,
    _flip_bit,
    _set_byte,
    _set_byte,
    _truncate,
    _delete,
    _insert,
    _giant_number,
    _repeat,
    _splice,
)


def try_reading(data: bytes, ctx: Context) -> Result:
    """Read `data` and use what comes out. Raises Misread."""
    start = time.monotonic()
    try:
        module = read_bytecode(data, ctx).module
    except BytecodeError as error:
        seconds = time.monotonic() - start
        if not 0 <= error.offset <= len(data) or "\n" in str(error):
            raise Misread(f"not one line about a place in the file: {error}") from error
        return _timed(str(error), seconds)
    except Exception as error:
        raise Misread(f"{type(error).__name__}: {error}") from error
    try:
        use(module)
    except Exception as error:
        raise Misread(f"a module was read, then {type(error).__name__}: {error}") from error
    return _timed(None, time.monotonic() - start)


def _timed(error: str | None, seconds: float) -> Result:
    if seconds > MAX_SECONDS:
        raise Misread(f"took {seconds:.1f} s")
    return Result(error, seconds)


def use(module: ModuleOp) -> None:
    """Do what everyone does with a module; it need not verify.

    xDSL's printer and verifier take much for granted, of f80 infinities for instance; what is
    looked for here is a hang, not their errors.
    """
    try:
        write_bytecode(module)
    except BytecodeWriteError:
        return
    try:
        Printer(StringIO(), print_generic_format=True, print_debuginfo=True).print_op(module)
        for op in module.walk():
            op.verify(verify_nested_ops=False)
    except (VerifyException, HbirError, *_XDSL_LEAKS):
        return


_XDSL_LEAKS = (ValueError, LookupError, AttributeError, TypeError, AssertionError, RuntimeError)
