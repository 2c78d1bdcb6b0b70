"""Calibration data as the tools take it: a folder, or arrays, a sample at a time.

Of a folder only the headers are read beforehand, of arrays nothing is kept: memory doesn't grow
with the number of samples.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np

from hbir.errors import HbirError
from hbir.interface import Argument, bind_inputs
from hbir.ir.types import Array
from hbir.ptq.calibration_data import random_data, read_folders
from hbir.ptq.debugger.calibrated import CalibratedModel

LOG = logging.getLogger("hbir.ptq")

CalibratedData: TypeAlias = (
    "str | os.PathLike[str] | Sequence[Any] | Mapping[str, Sequence[Any]] | None"
)
"""A folder (of .npy files; for several inputs one folder for each, by its name), several folders in
the order of the inputs separated by `;`, a sequence of arrays for one input, name → sequence of
arrays, or a sequence of mappings from names to arrays. None: one made-up sample."""


class _Feeds(Protocol):
    """Samples by number, each an array per input."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Mapping[str, Any]: ...


class Samples:
    """The first samples of some data. Can be gone through any number of times; each time round a
    sample is read when it is its turn."""

    def __init__(self, ports: Sequence[Argument], feeds: _Feeds, count: int | None) -> None:
        self._ports, self._feeds = ports, feeds
        self._count = len(feeds) if count is None else min(count, len(feeds))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[Array]]:
        for index in range(self._count):
            what = f"calibrated_data, sample {index}"
            arrays = bind_inputs(what, self._ports, self._feeds[index])
            for port, array in zip(self._ports, arrays, strict=True):
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise HbirError(f"{what}: input {port.name!r} holds nan or inf")
            yield arrays


def samples_of(model: CalibratedModel, data: CalibratedData, count: int | None = None) -> Samples:
    """The first `count` samples, all by default or where there are fewer.

    Raises HbirError for a folder or a file that doesn't fit; for an array when it is its turn.
    """
    if count is not None and count < 1:
        raise HbirError(f"data_num must be at least 1, got {count}")
    ports: Sequence[Argument] = model.function.flatten_inputs
    feeds: _Feeds
    if data is None:
        LOG.warning("no calibrated_data is given: the numbers are those of one made-up sample")
        feeds = random_data(ports)
    elif isinstance(data, str | os.PathLike):
        feeds = read_folders(_folders(os.fspath(data), ports), ports)
    else:
        feeds = _feeds_of(data, ports)
    if not len(feeds):
        raise HbirError("calibrated_data holds no samples")
    return Samples(ports, feeds, count)


def _folders(text: str, ports: Sequence[Argument]) -> list[Path]:
    """One folder per input."""
    given = [Path(part.strip()) for part in text.split(";") if part.strip()]
    if not given:
        raise HbirError("calibrated_data names no folder")
    if len(given) == len(ports):
        return given
    if len(given) != 1:
        raise HbirError(
            f"calibrated_data: {len(given)} folders are given, the model has {len(ports)} inputs"
            f" ({', '.join(port.name for port in ports)})"
        )
    folders = [given[0] / port.name for port in ports]
    for folder, port in zip(folders, ports, strict=True):
        if not folder.is_dir():
            raise HbirError(
                f"{given[0]}: the model has {len(ports)} inputs, each needs a folder here, and"
                f" there is no {port.name!r}"
            )
    return folders


class _Columns:
    """Samples of input name → sequence of arrays, all of one length."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise HbirError(f"calibrated_data has different numbers of samples: {lengths}")
        self._columns = columns
        self._count = next(iter(lengths.values()), 0)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> Mapping[str, Any]:
        return {name: column[index] for name, column in self._columns.items()}


def _feeds_of(data: Any, ports: Sequence[Argument]) -> _Feeds:
    if isinstance(data, Mapping):
        return _Columns(cast(Mapping[str, Sequence[Any]], data))
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise HbirError(
            "calibrated_data must be a folder, a sequence of arrays, or a dict from input names to"
            f" sequences of arrays, got {type(data).__name__}"
        )
    if len(data) and isinstance(data[0], Mapping):
        return cast(_Feeds, data)
    if len(ports) == 1:
        return _Columns({ports[0].name: cast(Sequence[Any], data)})
    names = ", ".join(port.name for port in ports)
    raise HbirError(f"a list of arrays is for one input; give a dict from names: {names}")
