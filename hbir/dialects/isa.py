"""The `isa` dialect: a compiled program as one op.

`isa.program` holds the instruction queues as record arrays; its text is the disassembler's, one
instruction a line, and is read by the assembler, line by line: xDSL's lexer would take seconds for
the program of a network.
"""

from __future__ import annotations

import re
from typing import Any, Self, cast

from typing_extensions import override
from xdsl.ir import Data, Dialect
from xdsl.irdl import IRDLOperation, irdl_attr_definition, irdl_op_definition, prop_def
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from hbir.backend.isa.assembler import assemble
from hbir.backend.isa.disassembler import HEAD, disassemble, lines
from hbir.backend.isa.order import queue_graph
from hbir.backend.isa.program import Program
from hbir.dialects import collect_dialect
from hbir.errors import HbirError

_END = re.compile(r"^[ \t]*\}[ \t]*$", re.MULTILINE)
"""A program's last line: a brace alone. No other line of it is."""


@irdl_attr_definition
class ProgramAttr(Data[Program]):
    """`#isa.text<"isa.program {...}">`: a program, compared by identity."""

    name = "isa.text"

    @classmethod
    @override
    def parse_parameter(cls, parser: AttrParser) -> Program:
        with parser.in_angle_brackets():
            return assemble(parser.parse_str_literal())

    @override
    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(disassemble(self.data))


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A whole program: machine, constants, graphs, layers, queues of instructions.

    Verified: every function call has an order in which all its instructions can run.
    """

    name = "isa.program"

    program = prop_def(ProgramAttr)

    @classmethod
    def of(cls, program: Program) -> Self:
        """The op that holds `program`."""
        return cls.create(properties={"program": ProgramAttr(program)})

    @property
    def value(self) -> Program:
        """The program."""
        return self.program.data

    @classmethod
    @override
    def parse(cls, parser: Parser) -> Self:
        # `Parser` offers no raw text, though all of its own balanced parsing rests on this.
        state = cast(Any, parser)
        span = state._current_token.span
        content: str = span.input.content
        end = _END.search(content, span.start)
        if end is None:
            parser.raise_error("the program has no closing brace alone on its line")
        text = f"{HEAD.partition(' ')[0]} {content[span.start : end.end()]}"
        try:
            program = assemble(text, span.input.name, content.count("\n", 0, span.start) + 1)
        except HbirError as error:
            parser.raise_error(str(error))
        state._resume_from(end.end())
        return cls.of(program)

    @override
    def print(self, printer: Printer) -> None:
        elide = bool(getattr(printer, "elide", False))
        head, *rest = lines(self.value, elide=elide)
        printer.print_string(" " + head.partition(" ")[2])
        for line in rest:
            printer.print_string("\n  " + line)

    @override
    def verify_(self) -> None:
        for graph in self.value.graphs:
            for call in graph.calls():
                try:
                    queue_graph(self.value, call).legal_order()
                except HbirError as error:
                    raise VerifyException(f"graph {graph.name!r}: {error}") from error


def dialect() -> Dialect:
    """The dialect with its op and attribute."""
    return collect_dialect("isa", __name__)
