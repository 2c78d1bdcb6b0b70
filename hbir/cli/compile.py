"""`hbir-compile`: from a model of any level to a `.hbm`.

What is left to do follows from what the file holds: a float model is calibrated (`--calib`) and
converted, a calibrated or QDQ one converted, a quantized one only scheduled and encoded.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbir.cli.command import CommandParser, log_to_stderr, run_command
from hbir.cli.inputs import input_kind, input_shapes
from hbir.cli.progress import Progress, progress
from hbir.errors import HbirError
from hbir.files import SuffixError, write_file

if TYPE_CHECKING:
    from hbir.hbm import Hbm
    from hbir.module import Module

OUTPUT_SUFFIX = ".hbm"
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
METHODS = ("max", "percentile", "kl", "mse", "mix")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _argument_parser().parse_args(argv)
    return run_command(lambda: _run(options))


def _argument_parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="hbir-compile", description="Compile a model into a .hbm for the modelled BPU."
    )
    add = parser.add_argument
    add("input", metavar="INPUT", help="a .onnx, .bc or .mlir file")
    add("-o", dest="output", required=True, metavar="MODEL.hbm", help="the file to write")
    add("--march", required=True, metavar="NAME", help="nash-e, nash-m, nash-p, ... or a .toml")
    for level, what in enumerate(
        ("no search", "search per layer", "plan layers together (default)")
    ):
        add(f"-O{level}", dest="opt", action="store_const", const=level, default=2, help=what)
    add(
        "--calib",
        metavar="DIR_OR_NPZ",
        help=".npy files (several inputs: a folder each), or an .npz: an array per input or images",
    )
    add("--calib-method", choices=METHODS, default="max", help="how ranges are chosen")
    add(
        "--percentile",
        type=float,
        metavar="P",
        help="share of the magnitudes a range holds, in percent; means --calib-method percentile",
    )
    add(
        "--dtype",
        action="append",
        default=[],
        metavar="NODE=int16",
        help="integers of a node's inputs, of one of them (NODE:input1=int16; a convolution's"
        " weights) or of its result (NODE:output=int16), or of everything (int16); float16 instead"
        " on marches that have it; may be repeated",
    )
    add(
        "--target-cosine",
        type=float,
        metavar="C",
        help="give what costs most accuracy 16 bits, until the outputs have this cosine to float",
    )
    add(
        "--input-shape",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME=1x3x224x224", "1x3x224x224"),
        help="fix a dynamic input of an .onnx file: NAME=SHAPE or NAME SHAPE (may be repeated)",
    )
    add("--save-temps", metavar="DIR", help="keep every stage there")
    add(
        "--explain",
        action="store_true",
        help="print each layer's tile, place, traffic, what bounds it and what would help",
    )
    add("--balance", type=int, metavar="0..100", help="0: least DDR traffic, 100: fewest cycles")
    add("--core-num", type=int, metavar="N", help="cores that share one frame (default 1)")
    add("--max-time-per-fc", type=float, metavar="US", help="most microseconds a function call")
    add("--max-l2m-size", type=int, metavar="BYTES", help="shared on-chip memory to use")
    add("--cache-path", metavar="DIR", help="keep compiled files there and use them again")
    add("--perf", metavar="DIR", help="write the static performance report there")
    return parser


def _run(options: argparse.Namespace) -> int:
    if not options.output.endswith(OUTPUT_SUFFIX):
        raise SuffixError(f"{options.output}: the output must end with {OUTPUT_SUFFIX}")
    if options.calib is None:
        _import_numpy_without_threads()
    from hbir.backend.march import load_march

    load_march(options.march)  # a wrong name is known before the work begins
    if options.calib is not None and not Path(options.calib).exists():
        raise HbirError(f"--calib {options.calib}: no such file or folder")
    with progress() as display:
        compiled = _compile(options, display)
    for graph in compiled.graphs:
        print(f"{options.output}: {graph}")
    if options.perf:
        from hbir.api import hbm_perf

        return hbm_perf(compiled, options.perf)
    return 0


def _import_numpy_without_threads() -> None:
    """Only calibration multiplies large matrices, and starting OpenBLAS's threads takes some
    hundredths of a second."""
    given = os.environ.get(_BLAS_THREADS)
    os.environ.setdefault(_BLAS_THREADS, "1")
    importlib.import_module("numpy")  # which reads it once
    if given is None:
        del os.environ[_BLAS_THREADS]


def _compile(options: argparse.Namespace, display: Progress) -> Hbm:
    from hbir import api

    stages = _Stages(options.save_temps)
    with display.stage("read"):
        module = _read(options)
    if module.level == "float":
        stages.keep("float.mlir", module)
        module = _calibrate(options, module, display)
    elif options.calib is not None:
        raise HbirError(
            f"{options.input}: is at the {module.level} level, calibrated already; leave out"
            " --calib"
        )
    if module.level == "qat":
        stages.keep("qat.bc", module)
        with display.stage("convert"):
            module = api.convert(module, options.march)
    _expect_march(options, module)
    if module.level == "quantized":
        stages.keep("quantized.bc", module)
        if options.save_temps:
            scheduled = api.schedule(module, options.march, opt=options.opt)
            stages.keep("scheduled.mlir", scheduled)
    with display.stage("compile"):
        given = _compile_options(options)
        compiled = api.compile(module, options.output, options.march, opt=options.opt, **given)
    if options.explain:
        from hbir.backend.march import load_march
        from hbir.reports.explain import print_explanation

        scheduled = api.best_schedule(module, options.march, opt=options.opt, **given)
        print_explanation(scheduled, load_march(options.march))
    if options.save_temps:
        from hbir.backend.isa.disassembler import disassemble

        stages.write("program.mlir", disassemble(compiled.program))
    return compiled


def _compile_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `compile` that the command line gives."""
    names = ("balance", "core_num", "max_time_per_fc", "max_l2m_size", "cache_path")
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _read(options: argparse.Namespace) -> Module:
    shapes = dict(input_shapes(_joined(entry) for entry in options.input_shape))
    if input_kind(options.input) == "onnx":
        from hbir.onnx import export

        return export(options.input, input_shapes=shapes)
    if shapes:
        raise HbirError("--input-shape is for .onnx files; other levels have their shapes")
    from hbir.api import load

    return load(options.input)


def _joined(entry: Sequence[str]) -> str:
    if len(entry) > 2:
        raise HbirError(f"--input-shape {' '.join(entry)}: expected NAME=SHAPE or NAME SHAPE")
    return "=".join(entry)


def _calibrate(options: argparse.Namespace, module: Module, display: Progress) -> Module:
    from hbir import api
    from hbir.cli.arrays import calibration_batches

    if options.calib is None:
        raise HbirError(
            f"{options.input}: is a float model without quantization; give data to calibrate it"
            " on: --calib DIR (.npy files) or --calib DATA.npz (an array per input, or 'images')"
        )
    if len(module.functions) != 1:
        raise HbirError(f"{options.input}: calibration takes one function, this has several")
    data = calibration_batches(options.calib, module.functions[0].flatten_inputs)
    batches = display.each("calibrate", data, len(data))
    chosen: dict[str, Any] = {
        "dtype": _dtypes(options.dtype),
        "target_cosine": options.target_cosine,
    }
    log_to_stderr()
    if options.percentile is None:
        return api.calibrate(module, batches, method=options.calib_method, **chosen)
    percentile = options.percentile
    return api.calibrate(module, batches, method="percentile", percentile=percentile, **chosen)


def _dtypes(entries: Sequence[str]) -> str | dict[str, dict[str, str] | str] | None:
    """`--dtype` as `calibrate` takes it."""
    if len(entries) == 1 and "=" not in entries[0]:
        return entries[0]
    chosen: dict[str, dict[str, str] | str] = {}
    for entry in entries:
        place, equals, dtype = entry.rpartition("=")
        if not equals:
            raise HbirError(f"--dtype {entry}: expected NODE=int16")
        node, colon, key = place.rpartition(":")
        if not colon or not re.fullmatch(r"input\d+|output", key):
            chosen[place] = dtype
            continue
        given = chosen.setdefault(node, {})
        if isinstance(given, str):
            raise HbirError(f"--dtype {entry}: {node} has {given} for all its inputs already")
        given[key] = dtype
    return chosen or None


def _expect_march(options: argparse.Namespace, module: Module) -> None:
    from hbir.backend.march import load_march

    if module.march is not None and load_march(options.march).name != module.march.value:
        raise HbirError(
            f"{options.input}: was converted for {module.march.value}; compile it with --march"
            f" {module.march.value}, or convert the calibrated model again"
        )


class _Stages:
    """Keeps the stages in the folder of `--save-temps`."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise HbirError(f"{folder}: can't be made ({error.strerror})") from None

    def keep(self, name: str, module: Module) -> None:
        """Write a module, constants included."""
        if self._folder is not None:
            from hbir import api

            api.save(module, self._folder / name)

    def write(self, name: str, text: str) -> None:
        """Write a text."""
        if self._folder is not None:
            write_file(self._folder / name, text.encode())
