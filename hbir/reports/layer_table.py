"""The layer table in the terminal: the columns of the published HTML report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

from rich.console import Console
from rich.table import Table

COLUMNS = {
    "layer": "layer name",
    "ops": "ops",
    "computing cost (no DDR)": "computing cost (no DDR)",
    "load cost": "load cost",
    "store cost": "store cost",
    "active period of time": "active period of time",
}
"""Heading → key of "layer details"."""

PIPE_WIDTH = 120
"""Columns where the output is no terminal."""


def print_layer_table(title: str, layers: Sequence[Mapping[str, Any]], stream: IO[str]) -> None:
    """A row per layer; without colours and of a fixed width where `stream` is no terminal."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(COLUMNS):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for layer in layers:
        table.add_row(*(str(layer[key]) for key in COLUMNS.values()))
    console = Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, markup=False)
    console.print(table)
