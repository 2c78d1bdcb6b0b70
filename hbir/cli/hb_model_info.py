"""`hb_model_info`: what a .hbm, .bc or .onnx was made of and with, and what it takes and gives."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.errors import HbirError
from hbir.files import write_file

TOOL = "hb_model_info"
FOLDER = Path(".hb_model_info")
DELETED_FILE = Path("deleted_nodes_info.txt")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _run(_parser().parse_args(argv)))


def _parser() -> HbParser:
    parser = HbParser(TOOL, "Show what a model was made of and with, and what it takes and gives.")
    add = parser.add_argument
    add("-n", "--name", help="one model of a packed .hbm; all by default")
    add("-v", "--visualize", action="store_true", help="show a .bc or .hbm in Netron; blocks")
    add("model", metavar="MODEL", help="a .hbm, .bc or .onnx file")
    return parser


def _run(options: argparse.Namespace) -> None:
    from hbir.ptq.model_info import model_info

    info = model_info(options.model, options.name)
    LOG.info("Start hb_model_info...")
    LOG.info("%s", "\n".join(["", *info.lines()]))
    for graph in info.graphs:
        if graph.report is not None:
            _write(f"{graph.name}.json", json.dumps(graph.report, indent=1, ensure_ascii=False))
    deleted = [name for graph in info.graphs for name in graph.deleted]
    if deleted:
        write_file(DELETED_FILE, "".join(f"{name}\n" for name in deleted).encode())
        LOG.info("%s: written", DELETED_FILE)
    if options.visualize:
        _visualize(Path(options.model))


def _make_folder() -> None:
    try:
        FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise HbirError(f"{FOLDER}: can't be made ({error.strerror})") from None


def _write(name: str, text: str) -> Path:
    _make_folder()
    path = FOLDER / name
    write_file(path, text.encode())
    LOG.info("%s: written", path)
    return path


def _visualize(path: Path) -> None:
    """Serve a picture in Netron until interrupted; it stays in the tool's folder."""
    from hbir.ptq.model_pictures import model_pictures
    from hbir.reports.visualize import serve_in_netron

    pictures = model_pictures(path, FOLDER)
    for picture in pictures:
        if picture != path:
            LOG.info("%s: written", picture)
    serve_in_netron(pictures[0])
