"""`hb_model_info`: what a .hbm, .bc or .onnx was made of and with, and what it takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hbir.cli.hb_command import HbParser, run_hb_command
from hbir.errors import HbirError

TOOL = "hb_model_info"
SUFFIXES = (".hbm", ".bc", ".onnx")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    parser = HbParser(TOOL, "Show what a model was made of and with, and what it takes and gives.")
    parser.add_argument("model", metavar="MODEL", help="a .hbm, .bc or .onnx file")
    options = parser.parse_args(argv)
    path = Path(options.model)
    if path.suffix not in SUFFIXES:
        raise HbirError(f"The model {path} is invalid: expected {', '.join(SUFFIXES)}")
