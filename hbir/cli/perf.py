"""`hbir-perf`: the static performance of a compiled model, in the terminal and as files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hbir.cli.command import CommandParser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = CommandParser(
        prog="hbir-perf",
        description=(
            "Print the predicted time and the layers of a .hbm, and write GRAPH.json, GRAPH.html"
            " (open it in a browser, it needs no network) and GRAPH.trace.json (for"
            " ui.perfetto.dev)."
        ),
    )
    parser.add_argument("input", metavar="MODEL", help="a .hbm")
    parser.add_argument("-o", dest="output", metavar="DIR", default=".", help="default: here")
    options = parser.parse_args(argv)
    return run_command(lambda: _perf(options))


def _perf(options: argparse.Namespace) -> int:
    from hbir.api import hbm_perf

    return hbm_perf(options.input, options.output)
