"""How far a tensor is from what it should be, as the debugger names, checks and orders metrics."""

from __future__ import annotations

from collections.abc import Sequence

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.quantization.similarity import METRICS

__all__ = ["COSINE", "LARGER_IS_CLOSER", "METRICS", "UNITS", "badness", "check_metrics", "measure"]

COSINE = "cosine-similarity"

LARGER_IS_CLOSER = frozenset({COSINE, "sqnr"})

UNITS = {"sqnr": "dB"}
"""The metrics that have one of their own; distances have the tensor's."""


def check_metrics(names: str | Sequence[str]) -> list[str]:
    """The names as a list. Raises HbirError for one that isn't in METRICS, and for none."""
    given = [names] if isinstance(names, str) else list(names)
    for name in given:
        if name not in METRICS:
            raise HbirError(f"there is no metric {name!r}; metrics are {', '.join(METRICS)}")
    if not given:
        raise HbirError(f"no metric is given; metrics are {', '.join(METRICS)}")
    return given


def measure(metric: str, wanted: Array, found: Array) -> float:
    """A metric of a float array and the rounded one, of one shape, computed in float64."""
    return METRICS[metric](wanted, found)


def badness(metric: str, value: float) -> float:
    """A number that grows as arrays part, for sorting."""
    return -value if metric in LARGER_IS_CLOSER else value
