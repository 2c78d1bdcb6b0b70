"""What a pipeline shows while it works: the command gives a progress display, Python calls none."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Display(Protocol):
    """Stages with their time, and bars for what is done item by item."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Show `name` as running while the block runs."""
        ...

    def each(self, name: str, items: Iterable[T], count: int) -> Iterator[T]:
        """`items`, with a bar that moves with them."""
        ...


class Silent:
    """Shows nothing."""

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """The block runs."""
        yield

    def each(self, name: str, items: Iterable[T], count: int) -> Iterator[T]:
        """`items` as they are."""
        return iter(items)
