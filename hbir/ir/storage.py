"""Modules in files: MLIR bytecode or text, told apart by content.

Bytecode (`hbir.bytecode`) holds the weights as they are in memory, aligned, so that a memory-mapped
file is read without copying them. Both forms carry versions (`hbir.ir.version`).
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from hbir.bytecode import (
    BytecodeError,
    BytecodeWriteError,
    is_bytecode,
    read_bytecode,
    write_bytecode,
)
from hbir.errors import HbirError
from hbir.ir.context import weights_of
from hbir.ir.names import name_values
from hbir.ir.origin import OriginAttr, parse_origin
from hbir.ir.text import TextError, parse_module, print_module
from hbir.ir.version import check_text_version, check_versions, stamped, upgrade
from hbir.ir.weights import WeightStore

Buffer = bytes | memoryview

_PRODUCER = "hbir"
"""Who wrote a file, as its header says; without a version, which would change files of the same
module."""

_TEXT_PARSERS = {f"#{OriginAttr.name}": parse_origin}


class BytecodeFileError(TextError):
    """Bytecode that can't be read; the message has the byte and the section."""


def read_module(data: Buffer, ctx: Context, filename: str) -> ModuleOp:
    """The module of a file's bytes, not verified. Its constants go into the context's store.

    Raises HbirError that names the file: what is wrong in it and where, or its version.
    """
    if is_bytecode(data):
        return _read_bytecode(data, ctx, filename)
    return read_text(text_of(data, filename), ctx, filename)


def text_of(data: Buffer, filename: str) -> str:
    """A file's bytes as text. Raises HbirError when they are not."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:
        raise HbirError(f"{filename}: not text (byte {error.start} is not UTF-8)") from None


def read_text(text: str, ctx: Context, filename: str) -> ModuleOp:
    """The module of a text, as `read_module`."""
    try:
        module = parse_module(text, ctx, filename)
    except HbirError:
        _in_file(filename, lambda: check_text_version(text))
        raise
    _in_file(filename, lambda: check_versions(module))
    upgrade(module)
    return module


def _read_bytecode(data: Buffer, ctx: Context, filename: str) -> ModuleOp:
    weights = weights_of(ctx)
    try:
        read = read_bytecode(
            data,
            ctx,
            text_parsers=_TEXT_PARSERS,
            on_top_level=lambda op: _in_file(filename, lambda: check_versions(op)),
        )
    except BytecodeError as error:
        raise BytecodeFileError(f"{filename}: {error}") from error
    for handle, blob in read.blobs.items():
        weights.add_bytes(blob, handle)
    upgrade(read.module)
    name_values(read.module)
    return read.module


def _in_file(filename: str, check: Callable[[], None]) -> None:
    try:
        check()
    except HbirError as error:
        raise type(error)(f"{filename}: {error}") from None


def module_chunks(op: Operation, weights: WeightStore) -> list[Buffer]:
    """The bytecode of a module with its constants, as chunks to be written one after the other.

    Raises HbirError when a constant has no data, or something no form in MLIR.
    """
    with stamped(op):
        try:
            return write_bytecode(op, weights.blob, producer=_PRODUCER)
        except BytecodeWriteError as error:
            raise HbirError(f"this module has no bytecode form: {error}") from error


def module_text(
    op: Operation, weights: WeightStore, *, generic: bool = False, debuginfo: bool = False
) -> str:
    """The text of a module for a file: with its constants and versions."""
    stream = StringIO()
    with stamped(op):
        print_module(op, stream, weights, generic=generic, debuginfo=debuginfo)
    return stream.getvalue()
