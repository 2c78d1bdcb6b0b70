"""`hb_compile`: from a YAML file, or a model alone, to every file of the vendor's flow.

Modes, options, log lines and messages are those of the vendor's tool (toolchain contract §2.1).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import hbir
from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.cli.progress import progress
from hbir.ptq.keys import LEGACY_MARCHES, MARCHES

TOOL = "hb_compile"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _run(_parser().parse_args(argv)))


def _parser() -> HbParser:
    parser = HbParser(TOOL, "Quantize, convert and compile a model for the modelled BPU.")
    add = parser.add_argument
    add("-c", "--config", metavar="YAML", help="what to do; see hb_config_generator")
    add("-m", "--model", metavar="MODEL", help="a .onnx to check or time, a .bc to compile again")
    add("--proto", metavar="PROTOTXT", help="of a Caffe model, which must become ONNX first")
    add("--march", choices=(*MARCHES, *LEGACY_MARCHES), help="needed without a YAML file")
    add("-i", "--input-shape", nargs=2, action="append", default=[], metavar=("NAME", "1x3x224x224"),
        help="fix a dynamic input; may be repeated")  # fmt: skip
    add("--fast-perf", action="store_true", help="compile for time alone; needs no data")
    add("--core-num", type=int, metavar="N", help="cores; with check and fast-perf mode")
    add("--skip", choices=("export", "convert", "compile"), help="stop before this step")
    return parser


def _run(options: argparse.Namespace) -> None:
    from hbir.ptq.build import build
    from hbir.ptq.config import read_config
    from hbir.ptq.model_inputs import model_inputs

    LOG.info("Start hb_compile...")
    for name in ("hbdk", "hmct", "hb_compile"):
        LOG.info("%s version: %s", name, hbir.__version__)
    LOG.info("Start verifying yaml")
    config = read_config(options.config, model_inputs)
    LOG.info("End verifying yaml")
    with progress() as display:
        build(config, skip=options.skip, display=display)
    LOG.info("The hb_compile completes running.")
