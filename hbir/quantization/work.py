"""Work for other processes and machines: modules that travel, items whose results come in order.

Any `concurrent.futures.Executor` will do; without one the items run here. Results are the same
either way, for how work is cut into items never depends on who does it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TypeVar

from hbir.ir.context import make_context
from hbir.ir.storage import read_module
from hbir.module import Module

T = TypeVar("T")
R = TypeVar("R")

ITEMS_UNDER_WAY = 16
"""Items handed out at once: what bounds the memory that inputs and results take."""


@dataclass(frozen=True)
class TravellingModule:
    """A module that can be pickled: by the file that holds it, or where files aren't shared, whole.

    Here it is the module itself.
    """

    digest: str
    path: str = ""
    data: bytes = b""

    def open(self) -> Module:
        """The module; each process reads it once."""
        here = _HERE.get(self.digest)
        return here if here is not None else _read(self.digest, self.path, self.data)


_HERE: dict[str, Module] = {}
"""Modules that this process itself has sent on their way."""


_NUMBERS = count()


@lru_cache(maxsize=2)
def _read(digest: str, path: str, data: bytes) -> Module:
    del digest  # the key under which it is cached
    context = make_context()
    chunks = Path(path).read_bytes() if path else data
    return Module(read_module(memoryview(chunks), context, path or "<module>"), context)


@contextmanager
def travelling(module: Module, executor: Executor | None) -> Generator[TravellingModule]:
    """`module`, to be put into items for `executor` inside the block; it mustn't change there."""
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        ticket = TravellingModule(f"here-{next(_NUMBERS)}")
        _HERE[ticket.digest] = module
        try:
            yield ticket
        finally:
            del _HERE[ticket.digest]
        return
    data = b"".join(module.bytecode())
    digest = hashlib.sha256(data).hexdigest()
    if not isinstance(executor, ProcessPoolExecutor):
        yield TravellingModule(digest, data=data)
        return
    with tempfile.TemporaryDirectory(prefix="hbir-") as folder:
        path = Path(folder) / "module.bc"
        path.write_bytes(data)
        yield TravellingModule(digest, path=str(path))


def in_order(
    function: Callable[[T], R], items: Iterable[T], executor: Executor | None
) -> Iterator[R]:
    """What `function` gives for each item, in the items' order; items are taken as they are due."""
    if executor is None:
        yield from map(function, items)
        return
    under_way: deque[Future[R]] = deque()
    for item in items:
        under_way.append(executor.submit(function, item))
        if len(under_way) >= ITEMS_UNDER_WAY:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()
