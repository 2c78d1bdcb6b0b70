"""`Method`: a way to choose ranges and its options, as users name it and as logs do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from hbir.errors import HbirError
from hbir.quantization.histogram import BINS, bins_for
from hbir.quantization.methods.kl import NUM_BIN, SIGNED_LEVELS, kl_range
from hbir.quantization.methods.mse import mse_range
from hbir.quantization.methods.percentile import PERCENTILE, percentile_range
from hbir.quantization.statistics import Range, TensorStatistics, Wanted

MAX, PERCENTILE_METHOD, KL, MSE, MIX = "max", "percentile", "kl", "mse", "mix"
LEAST_MAX_NUM_BIN, GREATEST_MAX_NUM_BIN = 258, 1 << 16
"""Bounds of `max_num_bin`: with more every tensor's histogram would take more than 512 KiB."""

METHODS = (MAX, PERCENTILE_METHOD, KL, MSE, MIX)

_OPTIONS = {
    MAX: ("averaging",),
    PERCENTILE_METHOD: ("percentile", "max_num_bin", "averaging"),
    KL: ("num_bin", "max_num_bin", "averaging"),
    MSE: ("max_num_bin", "averaging"),
    MIX: ("num_bin", "max_num_bin", "averaging"),
}
"""What each method takes besides `asymmetric`."""


@dataclass(frozen=True)
class Method:
    """One way to choose the range of every tensor.

    percentile: 0…1, the share of magnitudes kept. num_bin: fewest bins on which kl searches.
    max_num_bin: most bins of a histogram. averaging: the constant of moving averages of each
    batch's extremes, which then stand for the extremes; None for the extremes themselves.
    """

    name: str = MAX
    percentile: float = 1.0
    asymmetric: bool = False
    num_bin: int = NUM_BIN
    max_num_bin: int = 2 * BINS
    averaging: float | None = None

    def __post_init__(self) -> None:
        if self.name not in METHODS:
            raise HbirError(
                f"there is no calibration method {self.name!r}; use {', '.join(METHODS[:-1])}"
                f" or {METHODS[-1]}"
            )
        if not 0 < self.percentile <= 1:
            raise HbirError(f"percentile must be above 0 and at most 1, got {self.percentile}")
        if self.num_bin <= SIGNED_LEVELS:
            raise HbirError(f"num_bin must be 129 or more, got {self.num_bin}")
        least = max(LEAST_MAX_NUM_BIN, self.num_bin)
        if not least <= self.max_num_bin <= GREATEST_MAX_NUM_BIN:
            raise HbirError(
                f"max_num_bin must be {LEAST_MAX_NUM_BIN} or more, at least num_bin"
                f" ({self.num_bin}) and at most {GREATEST_MAX_NUM_BIN}, got {self.max_num_bin}"
            )
        if self.averaging is not None and not 0 < self.averaging <= 1:
            raise HbirError(f"averaging must be above 0 and at most 1, got {self.averaging}")

    @property
    def label(self) -> str:
        """The name in logs: `max`, `max-percentile:percentile=0.99995`, `kl:asymmetric=True`."""
        clipped = self.name in (MAX, PERCENTILE_METHOD) and self.percentile < 1
        parts = [f"percentile={self.percentile}"] if clipped else []
        parts += [f"num_bin={self.num_bin}"] if self.name == KL else []
        parts += ["asymmetric=True"] if self.asymmetric else []
        name = "max-percentile" if clipped else self.name
        return f"{name}:{','.join(parts)}" if parts else name

    @property
    def wanted(self) -> Wanted:
        """What must be remembered of tensors for it."""
        plain = self.name in (MAX, PERCENTILE_METHOD) and self.percentile == 1
        return Wanted(not plain, bins_for(self.max_num_bin), self.averaging)

    def parts(self) -> list[Method]:
        """The methods that `mix` chooses among, tensor by tensor; of others, the method itself."""
        if self.name != MIX:
            return [self]
        options = (MAX, PERCENTILE_METHOD, KL, MSE)
        return [
            replace(self, name=name, percentile=PERCENTILE if name == PERCENTILE_METHOD else 1.0)
            for name in options
        ]

    def range(self, statistics: TensorStatistics) -> Range:
        """The range of one tensor. Of `mix`, which asks for more than a tensor's own, the
        extremes."""
        if self.name == KL:
            return kl_range(statistics, asymmetric=self.asymmetric, num_bin=self.num_bin)
        if self.name == MSE:
            return mse_range(statistics, asymmetric=self.asymmetric)
        return percentile_range(statistics, self.percentile)


def method_of(name: str, *, asymmetric: bool = False, **options: float) -> Method:
    """The method `name` with options as `calibrate` takes them: there percentile is in %.

    Raises HbirError for unknown methods and options, and for values out of range.
    """
    if name not in METHODS:
        Method(name)
    unknown = sorted(set(options) - set(_OPTIONS[name]))
    if unknown:
        raise HbirError(
            f"calibration method {name!r} has no option {unknown[0]!r}; it has"
            f" {', '.join(_OPTIONS[name])}"
        )
    for key, value in options.items():
        if isinstance(cast(object, value), bool) or not isinstance(
            cast(object, value), int | float
        ):
            raise HbirError(f"{key} must be a number, got {value!r}")
    percentile = options.get("percentile", 100 * PERCENTILE if name == PERCENTILE_METHOD else 100)
    if not 0 < percentile <= 100:
        raise HbirError(f"percentile must be above 0 and at most 100, got {percentile}")
    most = _whole("max_num_bin", options.get("max_num_bin", 2 * BINS))
    return Method(
        name,
        percentile / 100,
        asymmetric,
        _whole("num_bin", options.get("num_bin", min(NUM_BIN, most))),
        most,
        options.get("averaging"),
    )


def _whole(key: str, value: float) -> int:
    if value != value // 1 or abs(value) == float("inf"):
        raise HbirError(f"{key} must be a whole number, got {value}")
    return int(value)
