"""`hbir-run`: run a model of any level on `.npy` files.

.onnx, .bc and .mlir run in the interpreters, .hbm in the simulator; outputs are `.npy` files named
after the model's outputs, so two levels can be compared with two commands.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hbir.cli.arrays import named_arrays
from hbir.cli.command import CommandParser, run_command
from hbir.errors import HbirError
from hbir.files import SuffixError, write_file
from hbir.interface import Argument, Ports

Array = np.ndarray[Any, Any]


class _Runnable(Protocol):
    """A function of a module, or a graph of a compiled model."""

    @property
    def name(self) -> str: ...
    @property
    def flatten_inputs(self) -> Ports[Argument]: ...
    def feed(self, inputs: Mapping[str, Any]) -> dict[str, Array]: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = CommandParser(prog="hbir-run", description="Run a model on .npy files.")
    add = parser.add_argument
    add("model", metavar="MODEL", help=".onnx, .bc, .mlir or .hbm")
    add(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="NAME=FILE.npy",
        help="an input's array (once per input; a model with one input needs no NAME=)",
    )
    add("-o", "--output-dir", required=True, metavar="DIR", help="where OUTPUT.npy files go")
    add("--function", metavar="NAME", help="which function or graph; the first by default")
    add(
        "--input-shape",
        action="append",
        default=[],
        metavar="NAME=1x3x224x224",
        help="fix a dynamic input of an .onnx file (may be repeated)",
    )
    options = parser.parse_args(argv)
    return run_command(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    function = _choose(options.model, _functions(options), options.function)
    outputs = function.feed(named_arrays(options.input, function.flatten_inputs))
    folder = Path(options.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"{folder}: can't be made ({error.strerror})") from None
    for name, file_name in file_names(list(outputs)).items():
        data = io.BytesIO()
        np.save(data, outputs[name], allow_pickle=False)
        write_file(folder / file_name, data.getvalue())
        array = outputs[name]
        print(f"{folder / file_name}: {name} {array.dtype} {list(array.shape)}")
    return 0


def _functions(options: argparse.Namespace) -> Sequence[_Runnable]:
    path: str = options.model
    if path.endswith(".hbm"):
        from hbir.hbm import Hbm

        return Hbm(path).graphs
    from hbir.cli.inputs import input_kind, input_shapes

    try:
        kind = input_kind(path)
    except SuffixError:
        raise SuffixError(f"{path}: expected a .onnx, .bc, .mlir or .hbm file") from None
    if kind == "onnx":
        from hbir.onnx import export

        return export(path, input_shapes=dict(input_shapes(options.input_shape))).functions
    from hbir.api import load

    return load(path).functions


def _choose(path: str, functions: Sequence[_Runnable], name: str | None) -> _Runnable:
    if not functions:
        raise HbirError(f"{path}: has no function to run")
    if name is None:
        return functions[0]
    for function in functions:
        if function.name == name:
            return function
    names = ", ".join(function.name for function in functions)
    raise HbirError(f"{path}: no function {name!r}; there is {names}")


def file_names(names: Sequence[str]) -> dict[str, str]:
    """A file name for each output: its own, with what no file name may hold replaced by `_`;
    where two would be the same, with its number."""
    result: dict[str, str] = {}
    used: set[str] = set()
    for index, name in enumerate(names):
        stem = re.sub(r"[^\w.+-]", "_", name).lstrip(".") or "output"
        file_name = f"{stem}.npy" if f"{stem}.npy" not in used else f"{stem}_{index}.npy"
        used.add(file_name)
        result[name] = file_name
    return result
