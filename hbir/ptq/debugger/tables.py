"""Tables of the tools, as they log and save them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from hbir.files import write_file
from hbir.ptq.debugger.pictures import make_folder

LOG = logging.getLogger("hbir.ptq")


def table_text(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A title in a line of =, captions, and rows, in columns of equal width."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    total = sum(widths) + 2 * (len(widths) - 1)
    lines = [title.center(total, "="), _line(columns, widths), "-" * total]
    lines += [_line(row, widths) for row in rows]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def save_table(
    path: Path,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    verbose: bool = False,
) -> Path:
    """Write a table; `verbose` logs it too. Returns the path."""
    text = table_text(title, columns, rows)
    make_folder(path.parent)
    write_file(path, text.encode())
    if verbose:
        LOG.info("\n%s", text.rstrip())
    return path


def number_text(value: float) -> str:
    """A metric as the tables show it."""
    return f"{value:.6g}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
