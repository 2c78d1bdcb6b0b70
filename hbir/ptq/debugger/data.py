"""Calibration data as the tools take it: a folder, or arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast

from hbir.errors import HbirError
from hbir.interface import Argument, bind_inputs
from hbir.ir.types import Array
from hbir.ptq.calibration_data import random_data, read_folders
from hbir.ptq.debugger.calibrated import CalibratedModel

CalibratedData: TypeAlias = (
    "str | os.PathLike[str] | Sequence[Any] | Mapping[str, Sequence[Any]] | None"
)
"""A folder (of .npy files; for several inputs one folder for each, by its name), several folders in
the order of the inputs separated by `;`, a list of arrays for one input, or name → list of arrays.
None: one made-up sample."""


def samples_of(
    model: CalibratedModel, data: CalibratedData, count: int | None = None
) -> list[list[Array]]:
    """The first `count` samples (all by default), each an array per input.

    Raises HbirError for a folder or an array that doesn't fit.
    """
    ports = model.function.flatten_inputs
    if data is None:
        found = [list(sample.values()) for sample in random_data(ports)]
    elif isinstance(data, str | os.PathLike):
        streamed = read_folders(_folders(os.fspath(data), ports), ports)
        found = [bind_inputs("calibrated_data", ports, s) for s in islice(streamed, count)]
    else:
        found = _from_arrays(data, ports)
    if not found:
        raise HbirError("calibrated_data holds no samples")
    if count is not None and count < 1:
        raise HbirError(f"data_num must be at least 1, got {count}")
    return found[:count]


def _folders(text: str, ports: Sequence[Argument]) -> list[Path]:
    """One folder per input."""
    given = [Path(part.strip()) for part in text.split(";") if part.strip()]
    if len(given) == len(ports):
        return given
    if len(given) != 1:
        raise HbirError(f"{len(given)} folders are given, the model has {len(ports)} inputs")
    folders = [given[0] / port.name for port in ports]
    for folder, port in zip(folders, ports, strict=True):
        if not folder.is_dir():
            raise HbirError(
                f"{given[0]}: the model has {len(ports)} inputs, each needs a folder here, and"
                f" there is no {port.name!r}"
            )
    return folders


def _from_arrays(data: Any, ports: Sequence[Argument]) -> list[list[Array]]:
    columns: Mapping[str, Sequence[Any]]
    if isinstance(data, Mapping):
        columns = cast(Mapping[str, Sequence[Any]], data)
    elif len(ports) == 1:
        columns = {ports[0].name: cast(Sequence[Any], data)}
    else:
        names = ", ".join(port.name for port in ports)
        raise HbirError(f"a list of arrays is for one input; give a dict from names: {names}")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise HbirError(f"calibrated_data has different numbers of samples: {lengths}")
    count = next(iter(lengths.values()), 0)
    return [
        bind_inputs(
            f"calibrated_data, sample {index}",
            ports,
            {name: column[index] for name, column in columns.items()},
        )
        for index in range(count)
    ]
