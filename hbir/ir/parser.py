"""xDSL's parser, made to remember where in the file each op stands.

MLIR gives every parsed op the location file:line:column unless the text says another; xDSL leaves
it unknown, and its errors raised inside an attribute's verifier have no position at all.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, NameLoc, StringAttr, UnknownLoc
from xdsl.ir import Operation
from xdsl.parser import Parser

from hbir.ir.origin import origin_of_op


class LocatingParser(Parser):
    """Gives ops without a location that of the file, named after their origin if they have one."""

    def __init__(self, ctx: Context, text: str, filename: str) -> None:
        super().__init__(ctx, text, filename)
        self._filename = StringAttr(filename)
        self._line_starts = [0, *(newline.end() for newline in re.finditer("\n", text))]

    @override
    def parse_operation(self) -> Operation:
        start = self._current_token.span.start
        op = super().parse_operation()
        if isinstance(op.location, UnknownLoc):
            place = self._place(start)
            origin = origin_of_op(op)
            op.location = NameLoc(StringAttr(origin.tensor), place) if origin else place
        return op

    @override
    def _get_op_by_name(self, name: str) -> type[Operation]:
        """As xDSL's, but the error points at the op's name, not at the token behind it."""
        if op_type := self.ctx.get_optional_op(
            name, dialect_stack=self._parser_state.dialect_stack
        ):
            return op_type
        text = self._current_token.span.input
        start = max(text.content.rfind(name, 0, self._current_token.span.start), 0)
        self.raise_error(f"Operation {name} is not registered", start, start + len(name))

    def _place(self, offset: int) -> FileLineColLoc:
        line = bisect_right(self._line_starts, offset)
        column = offset - self._line_starts[line - 1] + 1
        return FileLineColLoc(self._filename, IntAttr(line), IntAttr(column))

    @property
    def where(self) -> str:
        """`file:line:column` of the token the parser has come to."""
        place = self._place(self._current_token.span.start)
        return f"{place.filename.data}:{place.line.data}:{place.column.data}"
