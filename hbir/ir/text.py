"""The text form: MLIR's syntax, with the weights in one resource section at the end.

xDSL would lex the section's megabytes of hex token by token and keep them as text, so it is cut off
before xDSL sees the file and written after xDSL has printed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TextIO, cast

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation
from xdsl.printer import Printer
from xdsl.utils.exceptions import ParseError, VerifyException

from hbir.bytecode.attribute_writer import resource_handles as handles_of
from hbir.bytecode.text import unclosed_string
from hbir.errors import HbirError
from hbir.ir.context import weights_of
from hbir.ir.parser import LocatingParser
from hbir.ir.types import shape_of
from hbir.ir.verify import describe_op
from hbir.ir.weights import ELIDED, INLINE_ELEMENTS, WeightStore

_SECTION_START = re.compile(r"^\{-#", re.MULTILINE)
_SECTION_END = "#-}"
_ENTRY = re.compile(r'([A-Za-z_][\w$.-]*)\s*:\s*"0x([0-9A-Fa-f]*)"')
_BLOB_HEADER_BYTES = 4  # MLIR's blobs start with their alignment, 32 bits little-endian
_BLOB_ALIGNMENT = 64


class TextError(HbirError):
    """A text that can't be parsed; the message has file, line and column where they are known."""


def parse_module(text: str, ctx: Context, filename: str = "<text>") -> ModuleOp:
    """Parse a module; its resource section goes into the context's weight store.

    A bare `func.func` is wrapped into a module. Ops that the text gives no location are located
    by file, line and column, under the name of their origin. Raises TextError.
    """
    body = _take_resources(text, weights_of(ctx), filename)
    unclosed = unclosed_string(body)
    if unclosed is not None:  # xDSL would look for its end for ever
        line, column = body.count("\n", 0, unclosed) + 1, unclosed - body.rfind("\n", 0, unclosed)
        raise TextError(f"{filename}:{line}:{column}: this string is not closed")
    parser: LocatingParser | None = None
    try:
        parser = LocatingParser(ctx, body, filename)  # it lexes the first token
        return parser.parse_module()
    except ParseError as error:
        raise TextError(_parse_message(error, filename)) from error
    except (VerifyException, HbirError) as error:
        raise TextError(f"{parser.where if parser else filename}: {error}") from error
    except RecursionError as error:
        raise TextError(f"{filename}: nested too deeply to be parsed") from error
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError) as error:
        # xDSL leaks these on some malformed attributes; they are the text's fault all the same
        where = parser.where if parser else filename
        raise TextError(f"{where}: malformed text ({error})") from error


def _parse_message(error: ParseError, filename: str) -> str:
    span = error.span
    before = str(span.input.content[: span.start])
    line, column = before.count("\n") + 1, span.start - before.rfind("\n")
    text = (error.msg or "syntax error").strip().splitlines()
    return f"{filename}:{line}:{column}: {text[-1].strip(' ^-|')}"


def _take_resources(text: str, weights: WeightStore, filename: str) -> str:
    start = _SECTION_START.search(text)
    if start is None:
        return text
    end = text.find(_SECTION_END, start.end())
    if end < 0:
        raise TextError(f"{filename}: the resource section {{-# ... has no closing #-}}")
    for match in _ENTRY.finditer(text, start.end(), end):
        digits = match.end(2) - match.start(2)
        if digits % 2 or digits < 2 * _BLOB_HEADER_BYTES:
            raise TextError(f"{filename}: resource {match[1]} is not a blob of whole bytes")
        data = bytes.fromhex(match[2])
        weights.add_bytes(memoryview(data)[_BLOB_HEADER_BYTES:], match[1])
    # keep line numbers: the section is at the end, nothing of the IR follows it
    return text[: start.start()] + text[end + len(_SECTION_END) :]


class _Printer(Printer):
    """Elides long constants on request; prints `[1, 1]` as MLIR does, not `[1 : i64, 1 : i64]`."""

    @override
    def print_attribute(self, attribute: Attribute) -> None:
        constant_type = _constant_type(attribute) if self.elide else None
        if constant_type is not None and _elements(constant_type) > INLINE_ELEMENTS:
            self.print_string(f"dense_resource<{ELIDED}> : ")
            self.print_attribute(constant_type)
        elif ArrayAttr.name == attribute.name:
            with self.in_square_brackets():
                self.print_list(cast(ArrayAttr[Attribute], attribute).data, self._print_element)
        else:
            super().print_attribute(attribute)

    def _print_element(self, element: Attribute) -> None:
        if IntegerAttr.name == element.name and cast(IntegerAttr, element).type == i64:
            self.print_string(str(cast(IntegerAttr, element).value.data))
        elif FloatAttr.name == element.name and cast(FloatAttr, element).type == f64:
            self._print_double(cast(FloatAttr, element))
        else:
            self.print_attribute(element)

    def _print_double(self, element: FloatAttr) -> None:
        """`12.7`: the shortest text that reads back as the same value."""
        value: float = element.value.data
        if not isfinite(value):
            self.print_attribute(element)
            return
        mantissa, mark, exponent = repr(value).partition("e")
        point = "" if "." in mantissa else ".0"  # MLIR's syntax wants one before an exponent
        self.print_string(mantissa + point + mark + exponent)

    elide: bool = False


def _constant_type(attribute: Attribute) -> Attribute | None:
    """The tensor type of a dense constant; None for other attributes."""
    if attribute.name not in (DenseIntOrFPElementsAttr.name, DenseResourceAttr.name):
        return None
    return cast(DenseResourceAttr, attribute).get_type()


def _elements(type_: Attribute) -> int:
    count = 1
    for extent in shape_of(type_):
        count *= extent
    return count


def print_module(
    op: Operation,
    stream: TextIO,
    weights: WeightStore | None = None,
    *,
    elide: bool = False,
    lenient: bool = False,
    generic: bool = False,
    debuginfo: bool = False,
) -> None:
    """Print an op (a module, or one op of it).

    `elide` leaves out every constant above 16 elements; `weights` adds the resource section with
    their bytes; `lenient` leaves out those it doesn't have, otherwise an HbirError. With neither,
    handles are printed and the section left out: enough to look at and to test, not enough to run.
    """
    printer = _Printer(stream, print_generic_format=generic, print_debuginfo=debuginfo)
    printer.elide = elide
    printer.print_op(op)
    stream.write("\n")
    if weights is not None and not elide:
        handles = sorted(resource_handles(op))
        if lenient:
            handles = [handle for handle in handles if handle in weights]
        _print_resources(handles, weights, stream)


def op_text(op: Operation) -> str:
    """One op on its own, constants elided: for diagnostics."""
    from io import StringIO

    stream = StringIO()
    try:
        print_module(op, stream, elide=True)
    except Exception:  # a diagnostic about a broken op must not fail because the op is broken
        return describe_op(op)
    return stream.getvalue().rstrip()


def resource_handles(op: Operation) -> Iterator[str]:
    """The resource handles that an op and the ops in it refer to, in order, each once."""
    seen: dict[str, None] = {}
    for inner in op.walk():
        for attribute in (*inner.properties.values(), *inner.attributes.values()):
            seen.update(dict.fromkeys(handles_of(attribute)))
    return iter(seen)


def _print_resources(handles: Sequence[str], weights: WeightStore, stream: TextIO) -> None:
    if not handles:
        return
    header = struct.pack("<I", _BLOB_ALIGNMENT).hex().upper()
    stream.write("\n{-#\n  dialect_resources: {\n    builtin: {\n")
    for index, handle in enumerate(handles):
        comma = "," if index + 1 < len(handles) else ""
        stream.write(f'      {handle}: "0x{header}')
        stream.write(weights.blob(handle).hex())
        stream.write(f'"{comma}\n')
    stream.write("    }\n  }\n#-}\n")
