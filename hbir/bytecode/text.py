"""The fallback of the format: attributes of other dialects as text, parsed by xDSL.

xDSL's parser trusts its input; what would take exponential time or all memory is refused first.
"""

from __future__ import annotations

import re

from xdsl.context import Context
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError
from xdsl.utils.mlir_lexer import MLIRTokenKind

_STRING_OR_COMMENT = re.compile(
    r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"|//[^\n]*+|(?P<open>")'
)
_SHAPE = re.compile(r"<((?:\d+x)+)")
_MAX_DENSE_ELEMENTS = 1 << 16


def parse_text(text: str, ctx: Context, what: str) -> Attribute:
    """The attribute or type (`what`) that `text` is. Raises ValueError with the reason.

    What xDSL itself raises for malformed attributes comes through.
    """
    shown = text if len(text) <= 80 else text[:77] + "..."
    if unclosed_string(text) is not None:
        raise ValueError(f"`{shown}`: a string is not closed")
    if _has_large_splat(text):
        raise ValueError(f"`{shown}`: a constant as large as that is not text")
    try:
        parser = Parser(ctx, text, f"<{what}>")
        attribute = parser.parse_type() if what == "type" else parser.parse_attribute()
        end = parser._current_token.kind  # pyright: ignore[reportPrivateUsage] - no other way to see that all was parsed
    except ParseError as error:
        reason = (error.msg or "syntax error").strip().splitlines()[-1].strip(" ^-|")
        raise ValueError(f"`{shown}`: {reason}") from error
    if end != MLIRTokenKind.EOF:
        raise ValueError(f"`{shown}` is more than one {what}")
    return attribute


def unclosed_string(text: str) -> int | None:
    """Where a string literal begins that doesn't end, or ends behind a wrong escape.

    xDSL's lexer looks for its end in a time exponential in the length of the line.
    """
    for match in _STRING_OR_COMMENT.finditer(text):
        if match["open"]:
            return match.start()
    return None


def _has_large_splat(text: str) -> bool:
    """Whether `dense<0> : tensor<...>`, of which xDSL writes out all elements, may be too large."""
    if "dense" not in text:
        return False
    for match in _SHAPE.finditer(text):
        count = 1
        for extent in match[1].split("x")[:-1]:
            count *= int(extent) if len(extent) < 20 else 1 << 63
            if count > max(len(text), _MAX_DENSE_ELEMENTS):
                return True
    return False
