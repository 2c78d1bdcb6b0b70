"""`hb_analyzer`: where a compiled model's time goes, and pictures of models."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.cli.progress import progress
from hbir.errors import HbirError
from hbir.files import write_file

TOOL = "hb_analyzer"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    parser = HbParser(TOOL, "Find out where a compiled model's time goes.")
    commands = parser.add_subparsers(
        required=True, metavar="COMMAND", dest="command", parser_class=_SubParser
    )
    add = commands.add_parser("analyze", help="a summary and a page").add_argument
    add("-m", "--model", help="a .hbm, or an .onnx to compile first")
    add("--march", help="of an .onnx")
    add("--perf", help="a performance JSON instead of a model")
    add("--ip", help="of a board: not supported, times are the model's static ones")
    add("--username", default="root")
    add("--password", default="")
    add("--port", type=int, default=22)
    add = commands.add_parser("visualize", help="a picture of a model").add_argument
    add("-m", "--model", required=True, help="a .bc, .hbm or .onnx")
    add("--netron", action="store_true", help="serve it in Netron; blocks")
    options = parser.parse_args(argv)
    (_analyze if options.command == "analyze" else _visualize)(options)


class _SubParser(HbParser):
    """A subcommand's parser, which argparse makes by keyword."""

    def __init__(self, prog: str, **_: object) -> None:
        super().__init__(prog, "")


def _analyze(options: argparse.Namespace) -> None:
    from hbir.ptq.analyzer import PAGE, analyze
    from hbir.reports.analysis import describe

    if options.ip:
        raise HbirError("--ip: hbir runs on no board; leave it out to analyze static performance")
    with progress() as display:
        found = analyze(options.model, options.march, options.perf, display=display)
    for indicator in found.summary["hbm_key_indicators"]:
        LOG.info("%s: %s %s", indicator["title"], indicator["value"], indicator["unit"])
    for line in describe(found.summary["findings"]):
        LOG.info("%s", line)
    LOG.info("open %s in a browser", found.folder / PAGE)


def _visualize(options: argparse.Namespace) -> None:
    """Write pictures beside the tool's other files; with --netron serve one until interrupted.

    Of a .hbm there is its disassembly, too: Netron has no picture of instructions.
    """
    from hbir.ptq.analyzer import FOLDER
    from hbir.ptq.model_pictures import model_pictures

    path = Path(options.model)
    pictures = model_pictures(path, FOLDER)
    for picture in pictures:
        if picture != path:
            LOG.info("%s: written, open it in Netron", picture)
    if path.suffix == ".hbm":
        from hbir.backend.isa.disassembler import disassemble
        from hbir.hbm.reader import read_program

        text = Path(FOLDER) / f"{path.stem}.txt"
        write_file(text, disassemble(read_program(path), elide=True).encode())
        LOG.info("%s: written, one instruction a line", text)
    if options.netron:
        from hbir.reports.visualize import serve_in_netron

        serve_in_netron(pictures[0])
