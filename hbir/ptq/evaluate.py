"""A network on a whole data set, by any executor: `outputs_on`, `evaluate`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import numpy as np

from hbir.ir.types import Array
from hbir.module import Module
from hbir.quantization.work import TravellingModule, in_order, travelling

SAMPLES_PER_ITEM = 8
"""Samples of one item of work."""

Feed = Mapping[str, Any]
Outputs = dict[str, Array]


@dataclass(frozen=True)
class _Item:
    module: TravellingModule
    feeds: tuple[Feed, ...]


def outputs_on(
    module: Module, data: Iterable[Feed], executor: Executor | None = None
) -> Iterator[Outputs]:
    """The outputs of a module of any level up to quantized for each feed of `data`, in order.

    Feeds are taken as they are due, so memory doesn't grow with their number; arrays may come in
    the same memory again. Raises HbirError for wrong names, shapes or dtypes.
    """
    with travelling(module, executor) as ticket:
        items = (_Item(ticket, feeds) for feeds in _in_groups(data))
        for outputs in in_order(_run, items, executor):
            yield from outputs


def evaluate(
    module: Module,
    data: Iterable[tuple[Feed, Any]],
    score: Callable[[Outputs, Any], float],
    executor: Executor | None = None,
) -> float:
    """The mean score of a module over (feed, label) pairs; nan for no pairs.

    score: (outputs, label) → how good, worked out here, so it may be any function.
    """
    labels: deque[Any] = deque()  # of what is under way

    def feeds() -> Iterator[Feed]:
        for feed, label in data:
            labels.append(label)
            yield feed

    total, count = 0.0, 0
    for outputs in outputs_on(module, feeds(), executor):
        total += score(outputs, labels.popleft())
        count += 1
    return total / count if count else float("nan")


def _in_groups(data: Iterable[Feed]) -> Iterator[tuple[Feed, ...]]:
    feeds = map(_own, data)
    while group := tuple(islice(feeds, SAMPLES_PER_ITEM)):
        yield group


def _own(feed: Feed) -> Feed:
    """A feed whose arrays nobody writes into while it waits for its turn."""
    if not isinstance(cast(object, feed), Mapping):
        return feed  # which is refused when it is run
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in feed.items()
    }


def _run(item: _Item) -> list[Outputs]:
    function = item.module.open().functions[0]
    return [function.feed(feed) for feed in item.feeds]
