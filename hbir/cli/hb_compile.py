"""`hb_compile`: from a YAML file, or a model alone, to every file of the vendor's flow.

Modes, options, log lines and messages are those of the vendor's tool.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import hbir
from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.cli.progress import Progress, progress
from hbir.errors import HbirError
from hbir.files import read_file, write_file
from hbir.ptq.keys import LEGACY_MARCHES, MARCHES

if TYPE_CHECKING:
    from hbir.ptq.build import Built
    from hbir.ptq.config import Config

TOOL = "hb_compile"
SKIPS = ("export", "convert", "compile")
NO_MARCH = {
    ".onnx": "The march value is missing, please specify the --march parameter.",
    ".bc": "The config file or march value is missing, please specify either -c/--config or"
    " --march parameter.",
}
CAFFE_SUFFIXES = (".caffemodel", ".caffe")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    folders: list[Path] = []
    status = run_hb_command(TOOL, lambda: _run(_parser().parse_args(argv), folders))
    for folder in folders:
        _copy_log(folder)
    return status


def _parser() -> HbParser:
    parser = HbParser(TOOL, "Quantize, convert and compile a model for the modelled BPU.")
    add = parser.add_argument
    add("-c", "--config", metavar="YAML", help="what to do; see hb_config_generator")
    add("-m", "--model", metavar="MODEL", help="a .onnx to check or time, a .bc to compile again")
    add("--proto", metavar="PROTOTXT", help="of a Caffe model, which must become ONNX first")
    add("--march", choices=(*MARCHES, *LEGACY_MARCHES), help="needed without a YAML file")
    add(
        "-i",
        "--input-shape",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "1x3x224x224"),
        help="fix a dynamic input, in check and fast-perf mode; may be repeated",
    )
    add("--fast-perf", action="store_true", help="compile for time alone; needs no data")
    add("--core-num", type=int, metavar="N", help="cores, in check and fast-perf mode")
    add("--skip", choices=SKIPS, help="stop before this step")
    add("--workers", type=int, default=0, metavar="N", help="local processes that calibrate")
    add("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster that calibrates")
    return parser


def mode_of(options: argparse.Namespace) -> str:
    """`config`, `fast-perf`, `check` or `bc`. Raises HbirError for what doesn't go together."""
    config, suffix = options.config, Path(options.model or "").suffix
    _expect_files(options)
    if options.fast_perf and suffix != ".onnx":
        raise HbirError("The --fast-perf mode only supports the .onnx and .caffemodel model.")
    if options.core_num is not None and (config or suffix == ".bc"):
        raise HbirError("The --core-num option is only available with check/fast-perf mode.")
    if not options.model:
        return "config"
    if config and suffix == ".onnx":
        raise HbirError("Only the bc model supports being recompiled.")
    if suffix not in (".onnx", ".bc"):
        raise HbirError(
            f"The model {options.model} is invalid. Only models with .bc suffixes are supported."
        )
    if not config and not options.march:
        raise HbirError(NO_MARCH[suffix])
    if suffix == ".bc":
        return "bc"
    return "fast-perf" if options.fast_perf else "check"


def _expect_files(options: argparse.Namespace) -> None:
    """Raises HbirError where no file is given, where one isn't there, and for Caffe."""
    config, model = options.config, options.model
    if options.fast_perf and config:
        raise HbirError(
            f"The fast-perf mode is turned on, the incoming config file {config} cannot be used."
        )
    if options.fast_perf and not model:
        raise HbirError("The model file is missing, please specify the -m/--model parameter.")
    if not config and not model:
        raise HbirError(
            "The model file or config file is missing, please specify either -m/--model or"
            " -c/--config parameter."
        )
    caffe = model if Path(model or "").suffix in CAFFE_SUFFIXES else options.proto
    if caffe:
        raise HbirError(
            f"{caffe}: Caffe models can't be read; convert the model to ONNX (for instance with"
            " caffe2onnx) and give the .onnx file alone"
        )
    for path in (config, model):
        if path and not Path(path).is_file():
            raise HbirError(
                f"{path}: is no file" if Path(path).exists() else f"{path}: no such file"
            )


def _run(options: argparse.Namespace, folders: list[Path]) -> None:
    mode = mode_of(options)
    LOG.info("Start hb_compile...")
    for name in ("hbdk", "hmct", "hb_compile"):
        LOG.info("%s version: %s", name, hbir.__version__)
    for option, reason in _without_effect(options, mode):
        LOG.warning("%s has no effect in %s mode: %s", option, mode, reason)
    with progress() as display:
        if mode == "bc":
            _recompile(options, folders, display)
        else:
            _build(options, mode, folders, display)
    LOG.info("The hb_compile completes running.")


def _without_effect(options: argparse.Namespace, mode: str) -> list[tuple[str, str]]:
    """The options that are given in vain, and why."""
    made_up_data = mode != "config"
    shaped = options.config or mode == "bc"
    given = (
        ("--input-shape", options.input_shape and shaped, "shapes are the YAML's or the .bc's"),
        ("--march", options.march and options.config, "the YAML's march counts"),
        ("--skip", options.skip and mode == "bc", "nothing comes before compiling"),
        ("--workers", options.workers and made_up_data, "there is nothing to calibrate"),
        ("--dask", options.dask and made_up_data, "there is nothing to calibrate"),
    )
    return [(option, reason) for option, vain, reason in given if vain]


def _build(options: argparse.Namespace, mode: str, folders: list[Path], display: Progress) -> None:
    from hbir.ptq.build import build
    from hbir.ptq.executors import executor_of

    LOG.info("Start verifying yaml")
    config = _config(options, mode)
    LOG.info("End verifying yaml")
    folders.append(config.model.working_dir)
    with executor_of(options.workers, options.dask) as executor:
        built = build(config, skip=options.skip, display=display, executor=executor)
    if mode == "check":
        _print_placements(built)


def _config(options: argparse.Namespace, mode: str) -> Config:
    from hbir.ptq.config import read_config
    from hbir.ptq.model_inputs import model_inputs
    from hbir.ptq.modes import check_config, fast_perf_config

    if mode == "config":
        return read_config(options.config, model_inputs)
    model = Path(options.model)
    shapes = dict(options.input_shape)
    if len(shapes) < len(options.input_shape):
        raise HbirError("--input-shape names an input twice; give each once")
    if mode == "check":
        return check_config(model, options.march, shapes, options.core_num)
    config, path = fast_perf_config(model, options.march, shapes, options.core_num)
    LOG.info("The yaml file of fast-perf mode is %s", path)
    return config


def _recompile(options: argparse.Namespace, folders: list[Path], display: Progress) -> None:
    from hbir.ptq.build import recompilation, recompile

    config = Path(options.config) if options.config else None
    LOG.info("Start verifying yaml")
    wanted = recompilation(Path(options.model), config, options.march)
    LOG.info("End verifying yaml")
    folders.append(wanted.model.working_dir)
    recompile(Path(options.model), wanted, display=display)


def _print_placements(built: Built) -> None:
    """Where each node of the model runs, and for the CPU why and what would help."""
    from hbir.ptq.placement import placements

    rows = placements(built.original, built.config.model.machine)
    width = max((len(row.node) for row in rows), default=0)
    for row in rows:
        LOG.info("%-*s  %-20s %s", width, row.node, row.op_type, row.unit)
    elsewhere = [row for row in rows if row.reason]
    for row in elsewhere:
        LOG.warning("%s (%s) runs on the CPU: %s", row.node, row.op_type, row.reason)
        if row.cure:
            LOG.warning("    cure: %s", row.cure)
    LOG.info("%d nodes, %d of them on the CPU", len(rows), len(elsewhere))


def _copy_log(folder: Path) -> None:
    """The log file stands in the working directory too, where there is one."""
    if folder.is_dir():
        with suppress(HbirError):
            write_file(folder / f"{TOOL}.log", read_file(f"{TOOL}.log"))
