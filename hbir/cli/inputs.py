"""Reading what a command is given: `.mlir`, `.bc` and `.onnx` files, and text on stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hbir.api import BYTECODE_MAGIC
from hbir.errors import HbirError
from hbir.files import SuffixError, read_text_file

STDIN = "-"
TEXT_SUFFIXES = (".mlir", ".bc")
SPLIT_MARK = "// -----"


def input_kind(path: str) -> str:
    """`text` or `onnx`, by the suffix. Raises SuffixError for any other."""
    suffix = Path(path).suffix
    if path == STDIN or suffix in TEXT_SUFFIXES:
        return "text"
    if suffix == ".onnx":
        return "onnx"
    raise SuffixError(f"{path}: expected a .mlir, .bc or .onnx file, or - for text on stdin")


def read_text(path: str) -> str:
    """The text of a `.mlir` or `.bc` file, or of stdin. Raises HbirError."""
    if path != STDIN:
        return read_text_file(path, refuse={BYTECODE_MAGIC: "MLIR bytecode, can't be read yet"})
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise HbirError(f"<stdin>: not text (byte {error.start} is not UTF-8)") from None


def split_text(text: str) -> list[str]:
    """The pieces between `// -----` lines, each behind blank lines that keep its line numbers."""
    pieces: list[list[str]] = [[]]
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith(SPLIT_MARK):
            pieces.append([""] * (number + 1))
        else:
            pieces[-1].append(line)
    return ["\n".join(piece) for piece in pieces]


def input_shapes(options: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """`name=1x3x224x224` options as name → shape. Raises HbirError for one that isn't so."""
    shapes: dict[str, tuple[int, ...]] = {}
    for option in options:
        name, _, text = option.rpartition("=")
        extents = text.replace(",", "x").split("x")
        if not name or not all(extent.isdecimal() and int(extent) > 0 for extent in extents):
            raise HbirError(f"input shape {option!r}: expected NAME=1x3x224x224")
        shapes[name] = tuple(map(int, extents))
    return shapes
