"""Calibration data: a directory of .npy files per input, streamed a sample at a time.

A file holds one sample, with or without its batch axis of 1, or several along that axis. Only the
headers are read to count and check them; arrays are memory-mapped while they are looked at, so
memory grows neither with the number of files nor with that of samples.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from typing_extensions import override

from hbir.errors import HbirError
from hbir.files import read_array
from hbir.interface import Argument
from hbir.ir.types import Array

LOG = logging.getLogger("hbir.ptq")

Sample = dict[str, Array]

SUFFIX = ".npy"
RANDOM_SEED = 0
RANDOM_SAMPLES = 1


class CalibrationData:
    """Samples: name of an input → array of its shape and dtype. Can be iterated any number of
    times; `len` says how many there are, `random` whether they are made up."""

    random = False

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        counts = {len(column) for column in columns}
        if len(counts) > 1:
            said = ", ".join(f"{c.port.name}: {len(c.places)} in {c.folder}" for c in columns)
            raise HbirError(f"cal_data_dir: inputs have different numbers of samples ({said})")
        self._count = next(iter(counts), 0)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self._count))

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return {column.port.name: column.sample(index) for column in self._columns}


@dataclass(frozen=True)
class Place:
    """Where one sample of batch 1 (or of the model's own batch) lies: a file, and the position
    along its first axis; None for the whole file, which has no batch axis."""

    file: Path
    index: int | None = None


@dataclass(frozen=True)
class Column:
    """The data of one input. together: how many samples a batch of the deployed model takes."""

    port: Argument
    folder: Path
    places: tuple[Place, ...]
    together: int = 1

    def __len__(self) -> int:
        return -(-len(self.places) // self.together)

    def sample(self, index: int) -> Array:
        """A batch in the input's shape and dtype. The last one is filled up from the start."""
        count, first = len(self.places), index * self.together
        places = [self.places[(first + i) % count] for i in range(self.together)]
        parts = [self._one(place) for place in places]
        whole = parts[0] if self.together == 1 else np.concatenate(parts)
        with np.errstate(over="ignore"):  # said below, with the file
            array = np.array(whole, self.port.type.np_dtype, order="C")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            files = ", ".join(dict.fromkeys(str(place.file) for place in places))
            raise HbirError(f"{files}: input '{self.port.name}' holds nan or inf")
        return array.reshape(self.port.type.shape)

    def _one(self, place: Place) -> Array:
        array = _checked(place.file, self.port)
        if place.index is None:
            return array[np.newaxis]
        extent = _unit_of(self.port, self.together)
        return array[place.index * extent : (place.index + 1) * extent]


def read_folders(
    folders: Sequence[Path], ports: Sequence[Argument], batch: int | None = None
) -> CalibrationData:
    """The data of a model's inputs, a folder each, in the same order.

    batch: the deployed model's, which so many samples are put together for. Raises HbirError,
    naming the file, for one that can't be read or doesn't fit its input.
    """
    pairs = zip(folders, ports, strict=True)
    return CalibrationData([_column(folder, port, batch or 1) for folder, port in pairs])


def random_data(ports: Sequence[Argument]) -> CalibrationData:
    """Made-up data, the same every time: normal numbers, zeros for integers and truth values."""
    return _RandomData(ports)


class _RandomData(CalibrationData):
    random = True

    def __init__(self, ports: Sequence[Argument]) -> None:
        super().__init__(())
        self._ports = tuple(ports)
        self._count = RANDOM_SAMPLES

    @override
    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self._count:
            raise IndexError(index)
        generator = np.random.default_rng((RANDOM_SEED, index))
        return {port.name: _random(generator, port) for port in self._ports}


def _random(generator: np.random.Generator, port: Argument) -> Array:
    dtype = port.type.np_dtype
    if dtype.kind == "f":
        return generator.standard_normal(port.type.shape).astype(dtype)
    return np.zeros(port.type.shape, dtype)


def _column(folder: Path, port: Argument, together: int) -> Column:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise HbirError(f"{folder}: can't be read ({error.strerror})") from None
    files = [entry for entry in entries if entry.suffix == SUFFIX and entry.is_file()]
    if not files:
        dtype, shape = port.type.np_dtype, list(port.type.shape)
        raw = f" (a raw file is numpy.fromfile(FILE, '{dtype}').reshape({shape}))"
        raise HbirError(
            f"{folder}: holds no {SUFFIX} files for input '{port.name}'; write one per sample with"
            f" numpy.save, preprocessed as the float model takes it{raw if entries else ''}"
        )
    if len(files) < len(entries):
        others = len(entries) - len(files)
        LOG.warning("%s: %d entries that aren't %s files are left out", folder, others, SUFFIX)
    places = tuple(place for file in files for place in _places(file, port, together))
    return Column(port, folder, places, together)


def _places(file: Path, port: Argument, together: int) -> list[Place]:
    """The samples of a file. Raises HbirError for a shape that doesn't fit."""
    shape, found = port.type.shape, _checked(file, port).shape
    extent = _unit_of(port, together)
    if len(shape) > 1 and extent == 1 and found == shape[1:]:
        return [Place(file)]
    several = found[1:] == shape[1:] and len(found) == len(shape) and found[0] % extent == 0
    if not shape or not several or found[0] == 0:
        wanted = [extent, *shape[1:]] if shape else []
        hint = "; transpose it" if sorted(found) in (sorted(wanted), sorted(wanted[1:])) else ""
        raise HbirError(
            f"{file}: input '{port.name}' takes arrays of shape {wanted}, this one is"
            f" {list(found)}{hint}"
        )
    return [Place(file, index) for index in range(found[0] // extent)]


def _unit_of(port: Argument, together: int) -> int:
    """The first extent of one sample."""
    return port.type.shape[0] // together if port.type.shape else 1


def _checked(file: Path, port: Argument) -> Array:
    """The file's array, of a dtype that the input can be given."""
    array = read_array(file, mapped=True)
    dtype = port.type.np_dtype
    fits = array.dtype.kind in "fiu" if dtype.kind == "f" else array.dtype.kind == dtype.kind
    if dtype.kind in "iu":
        fits = array.dtype.kind in "iu"
    if not fits:
        raise HbirError(
            f"{file}: input '{port.name}' takes {dtype}, this array holds {array.dtype}; save it"
            f" with .astype('{dtype}')"
        )
    return array
