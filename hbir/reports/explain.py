"""The table of `hbir-compile --explain`: why each layer is scheduled as it is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hbir.backend.march import Machine
from hbir.errors import HbirError
from hbir.module import Module
from hbir.passes.schedule.explain_schedule import explained
from hbir.passes.scheduling import machine_of

COLUMNS = (
    "layer", "kind", "group", "tile", "result in", "moves", "must", "engine cycles", "DDR cycles",
    "bound by", "what would help",
)  # fmt: skip


MIN_WIDTH = 200
"""Columns of text that the table takes even where a terminal has fewer."""


def explanation_table(module: Module, machine: Machine | None = None) -> Table:
    """A row per layer of a scheduled module. Raises HbirError for another level."""
    if module.level != "scheduled":
        raise HbirError(f"a module of level {module.level} has no schedule to explain")
    machine = machine or machine_of(module.op, None)
    table = Table(title="what each layer moves (bytes), and what bounds it by itself")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for function in module.functions:
        for layer in explained(function.op, machine):
            told = layer.explanation
            table.add_row(
                layer.name,
                layer.kind,
                str(layer.group),
                "x".join(str(extent) for extent in layer.tile),
                layer.residency,
                str(told.moved_bytes),
                str(told.compulsory_bytes),
                f"{told.compute_cycles:.0f}",
                f"{told.transfer_cycles:.0f}",
                told.bound,
                "; ".join(told.helps),
            )
    return table


def print_explanation(module: Module, machine: Machine | None = None) -> None:
    """Print the table of a scheduled module."""
    console = Console()
    Console(width=max(console.width, MIN_WIDTH)).print(explanation_table(module, machine))
