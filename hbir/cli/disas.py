"""`hbir-disas`: a compiled model as text, and back: the text assembles to the same bytes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hbir.backend.isa.assembler import assemble
from hbir.backend.isa.disassembler import disassemble, lines
from hbir.cli.command import CommandParser, run_command
from hbir.errors import HbirError
from hbir.files import read_text_file, write_file
from hbir.hbm.format import MAGIC
from hbir.hbm.reader import read_program
from hbir.hbm.writer import encode_program

SUFFIX = ".hbm"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = CommandParser(
        prog="hbir-disas",
        description="Print a .hbm as text, one instruction a line, or assemble such a text.",
    )
    add = parser.add_argument
    add("input", metavar="FILE", help="a .hbm; with --assemble a text")
    add("-o", dest="output", metavar="FILE", help="write there instead of to stdout")
    add("--assemble", action="store_true", help="make a .hbm (-o) of a text")
    add("--elide-constants", action="store_true", help="leave them out, as on a terminal")
    options = parser.parse_args(argv)
    return run_command(lambda: _assemble(options) if options.assemble else _print(options))


def _print(options: argparse.Namespace) -> int:
    program = read_program(options.input)
    if options.output:
        text = disassemble(program, elide=options.elide_constants)
        write_file(options.output, text.encode())
        return 0
    elide = options.elide_constants or sys.stdout.isatty()
    for line in lines(program, elide=elide):
        print(line)
    return 0


def _assemble(options: argparse.Namespace) -> int:
    if not options.output or not options.output.endswith(SUFFIX):
        raise HbirError("--assemble needs the file to write: -o model.hbm")
    text = read_text_file(options.input, refuse={MAGIC: "a .hbm already"})
    write_file(options.output, encode_program(assemble(text, options.input)))
    return 0
