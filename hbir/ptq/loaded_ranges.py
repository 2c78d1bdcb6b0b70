"""Ranges of an earlier calibration: from a `_quant_info.json`, or from a calibrated `.bc`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from hbir import api
from hbir.errors import HbirError
from hbir.files import read_json
from hbir.ptq.quant_info import quant_info_of
from hbir.quantization.statistics import Range

LARGEST = 3e38
"""Of float32 numbers, about."""


def load_ranges(path: Path) -> tuple[dict[str, Range], bool]:
    """Tensor → range, and whether any has a zero point. Raises HbirError that names the file."""
    if not path.is_file():
        raise HbirError(f"load_path {path} does not exist")
    info = _of_module(path) if path.suffix in api.MODULE_SUFFIXES else _of_json(path)
    asymmetric = any(entry.get("zero_point", 0) for entry in info.values())
    return {name: _range(path, name, entry, asymmetric) for name, entry in info.items()}, asymmetric


def _of_module(path: Path) -> Mapping[str, Mapping[str, Any]]:
    module = api.load(path)
    info = quant_info_of(module) if module.level in ("float", "qat") else {}
    if not info:
        raise HbirError(
            f"{path}: holds no ranges; expected a calibrated module, this one is {module.level}"
        )
    return info


def _of_json(path: Path) -> Mapping[str, Mapping[str, Any]]:
    document = read_json(path)
    if isinstance(document, dict):
        entries = cast(dict[str, object], document)
        entries = cast(dict[str, object], entries.get("tensors", entries))
        if entries and all(isinstance(entry, dict) for entry in entries.values()):
            return cast(dict[str, dict[str, Any]], entries)
    raise HbirError(
        f"{path}: expected an object, tensor → {{min, max}}, as a _quant_info.json holds"
    )


def _range(path: Path, name: str, entry: Mapping[str, Any], asymmetric: bool) -> Range:
    given = entry.get("min"), entry.get("max")
    numbers = [float(v) for v in given if isinstance(v, int | float) and abs(v) < LARGEST]
    if len(numbers) < len(given) or numbers[0] > numbers[1]:
        raise HbirError(
            f"{path}: tensor {name!r}: expected numbers min <= max, got {given[0]!r} and"
            f" {given[1]!r}"
        )
    low, high = numbers
    if asymmetric and not str(entry.get("dtype", "int8")).startswith("int16"):
        return low, high
    # Symmetric integers reach one further down than up; the range they were made of doesn't.
    return max(low, -high) if high > 0 else low, high
