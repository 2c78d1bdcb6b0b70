"""Reading what a command is given: `.mlir`, `.bc` and `.onnx` files, and text on stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hbir.errors import HbirError
from hbir.files import SuffixError, map_file

STDIN = "-"
MODULE_SUFFIXES = (".mlir", ".bc")
SPLIT_MARK = "// -----"


def input_kind(path: str) -> str:
    """`module` or `onnx`, by the suffix. Raises SuffixError for any other."""
    suffix = Path(path).suffix
    if path == STDIN or suffix in MODULE_SUFFIXES:
        return "module"
    if suffix == ".onnx":
        return "onnx"
    raise SuffixError(f"{path}: expected a .mlir, .bc or .onnx file, or - for stdin")


def read_bytes(path: str) -> bytes | memoryview:
    """The bytes of a `.mlir` or `.bc` file, memory-mapped, or of stdin. Raises HbirError."""
    if path != STDIN:
        return map_file(path)
    stream = getattr(sys.stdin, "buffer", None)  # a stream of text alone, in tests, has none
    return stream.read() if stream is not None else sys.stdin.read().encode()


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
