"""Errors a user can mend.

Every error that comes from what the user gave (a model, a file, an option) is an `HbirError` or a
subclass beside the code that raises it. Commands print it as one `error: ...` line and exit with
status 1; a traceback means a defect in hbir itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HbirError(Exception):
    """Bad input. The message names the file, node, tensor or key, what was expected, the remedy."""


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """`; did you mean 'x' or 'y'?`: what is known and near to a name that isn't; else empty."""
    close = difflib.get_close_matches(name, list(known), n=most)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
