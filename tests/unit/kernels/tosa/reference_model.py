"""Runs a few TOSA ops on Arm's reference model: an oracle written by others.

`tosa-tools` pins an old NumPy and drops packages named `tests` and `bin` into site-packages, so it
lives in a virtual environment of its own, `.venv-tosa` beside the project's; only its two programs
are called. Tests that need it are skipped, saying so, where it isn't installed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]

_PROGRAMS = Path(os.environ.get("HBIR_TOSA_BIN", Path(__file__).parents[4] / ".venv-tosa" / "bin"))
_TARGET = "specification_version=1.0 level=none profiles=pro_int extensions=int16"

needs_reference_model = pytest.mark.skipif(
    not (_PROGRAMS / "tosa_reference_model").exists(),
    reason="tosa-tools is not installed: python -m venv .venv-tosa &&"
    " .venv-tosa/bin/pip install --no-deps tosa-tools",
)


def tensor_type(array: Array) -> str:
    """MLIR's tensor type of an array, signless as TOSA has it."""
    extents = "".join(f"{extent}x" for extent in array.shape)
    return f"tensor<{extents}i{8 * array.dtype.itemsize}>"


class Program:
    """A TOSA function under construction: `main` of the inputs, one op a line."""

    def __init__(self, folder: Path, *inputs: Array) -> None:
        self.folder = folder
        self.inputs = inputs
        self.values = [f"%x{index}" for index in range(len(inputs))]
        self._lines: list[str] = []
        self._types = {
            name: tensor_type(array) for name, array in zip(self.values, inputs, strict=True)
        }

    def constant(self, values: Sequence[int] | Array, dtype: npt.DTypeLike) -> str:
        """A one-dimensional constant."""
        array = np.asarray(values, dtype)
        type_ = tensor_type(array)
        text = ", ".join(str(int(value)) for value in array)
        return self._line("tosa.const", [], f"{{values = dense<[{text}]> : {type_}}}", type_)

    def set_type(self, value: str, type_: str) -> None:
        """Give an input another type than its file's dtype says (i48 travels as int64)."""
        self._types[value] = type_

    def op(self, name: str, operands: Sequence[str], attributes: str, result: str) -> str:
        """Any op with one result of type `result`."""
        return self._line(name, operands, f"{{{attributes}}}", result)

    def rescale(
        self,
        value: str,
        multipliers: Sequence[int] | Array,
        shifts: Sequence[int] | Array,
        *,
        input_zero_point: int,
        output_zero_point: int,
        result: str,
    ) -> str:
        """RESCALE with 16-bit multipliers, per channel when there are several."""
        bits = {"i8": np.int8, "i16": np.int16, "i32": np.int32, "i48": np.int64}
        source = self._types[value].removesuffix(">").split("x")[-1]
        target = result.removesuffix(">").split("x")[-1]
        zero_in = self._zero_point(input_zero_point, source, bits[source])
        zero_out = self._zero_point(output_zero_point, target, bits[target])
        operands = [
            value,
            self.constant(multipliers, np.int16),
            self.constant(shifts, np.int8),
            zero_in,
            zero_out,
        ]
        attributes = (
            "scale32 = false, rounding_mode = #tosa.rounding_mode<SINGLE_ROUND>, input_unsigned ="
            f" false, output_unsigned = false, per_channel = {str(len(multipliers) > 1).lower()}"
        )
        return self.op("tosa.rescale", operands, attributes, result)

    def _zero_point(self, value: int, element: str, dtype: npt.DTypeLike) -> str:
        if element != "i48":
            return self.constant([value], dtype)
        attributes = f"{{values = dense<{value}> : tensor<1xi48>}}"
        return self._line("tosa.const", [], attributes, "tensor<1xi48>")

    def _line(self, name: str, operands: Sequence[str], attributes: str, result: str) -> str:
        value = f"%v{len(self._lines)}"
        types = ", ".join(self._types[operand] for operand in operands)
        self._types[value] = result
        self._lines.append(
            f'  {value} = "{name}"({", ".join(operands)}) {attributes} : ({types}) -> {result}'
        )
        return value

    def run(self, value: str) -> Array:
        """The value's array, computed by the reference model."""
        arguments = ", ".join(f"{name}: {self._types[name]}" for name in self.values)
        result = self._types[value]
        source = "\n".join(
            [
                f"func.func @main({arguments}) -> {result} {{",
                *self._lines,
                f"  return {value} : {result}",
                "}",
            ]
        )
        (self.folder / "program.mlir").write_text(source)
        _run(
            [
                str(_PROGRAMS / "tosa-opt"),
                f"--tosa-attach-target={_TARGET}",
                "--tosa-serialize=tosa-flatbuffer-filename=program.tosa",
                "program.mlir",
                "-o",
                os.devnull,
            ],
            self.folder,
        )
        files = [f"input{index}.npy" for index in range(len(self.inputs))]
        for file, array in zip(files, self.inputs, strict=True):
            np.save(self.folder / file, array)
        names = [f"TosaInput_{index}" for index in range(len(self.inputs))]
        _run(
            [
                str(_PROGRAMS / "tosa_reference_model"),
                "--tosa_file=program.tosa",
                "--flatbuffer_dir=.",
                "--output_dir=.",
                f"--ifm_name={','.join(names)}",
                f"--ifm_file={','.join(files)}",
                "--ofm_name=TosaOutput_0",
                "--ofm_file=output.npy",
                "--tosa_level=NONE",
            ],
            self.folder,
        )
        output: Array = np.load(self.folder / "output.npy")
        return output


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
