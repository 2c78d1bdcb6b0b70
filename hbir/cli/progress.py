"""The progress display of long commands: on a terminal's stderr, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

T = TypeVar("T")


class Progress:
    """Stages, each with a spinner or a bar while it runs and its time once it is over."""

    def __init__(self, display: RichProgress | None) -> None:
        self._display = display

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Show `name` as running while the block runs."""
        if self._display is None:
            yield
            return
        task = self._display.add_task(name, total=None)
        yield
        self._display.update(task, total=1, completed=1)

    def each(self, name: str, items: Iterable[T], count: int) -> Iterator[T]:
        """`items`, with a bar that moves with them."""
        if self._display is None:
            yield from items
            return
        task = self._display.add_task(name, total=count)
        for item in items:
            yield item
            self._display.advance(task)


@contextmanager
def progress() -> Generator[Progress]:
    """The display; a silent one when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield Progress(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    # What is printed meanwhile goes above the display, but stays where a user redirects it to.
    together = sys.stdout.isatty()
    with RichProgress(*columns, console=console, redirect_stdout=together) as display:
        yield Progress(display)
