"""Arrays that a command is given: `.npy` files, and calibration data in folders or `.npz`."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.files import read_array
from hbir.interface import Argument

Array = np.ndarray[Any, Any]
Batch = dict[str, Array]

IMAGES = "images"
"""The array's name that stands for the only input of a model."""


def named_arrays(options: Sequence[str], ports: Sequence[Argument]) -> Batch:
    """The arrays of `name=x.npy` options; a bare `x.npy` will do for a model with one input.

    Raises HbirError for an option or a name that doesn't fit.
    """
    names = [port.name for port in ports]
    arrays: Batch = {}
    for option in options:
        name, path = _split(option, names)
        if name in arrays:
            raise HbirError(f"input {name!r} is given twice")
        arrays[name] = read_array(path)
    missing = [name for name in names if name not in arrays]
    if missing:
        wanted = " ".join(f"-i {name}=FILE.npy" for name in missing)
        raise HbirError(f"the model's inputs are {', '.join(names)}; missing: {wanted}")
    return arrays


def _split(option: str, names: Sequence[str]) -> tuple[str, str]:
    # names of tensors may hold '=' and so may paths: the model's names decide
    for name in sorted(names, key=len, reverse=True):
        if option.startswith(f"{name}="):
            return name, option[len(name) + 1 :]
    if len(names) == 1 and Path(option).exists():
        return names[0], option
    raise HbirError(
        f"input {option!r}: expected NAME=FILE.npy, with NAME one of {', '.join(names)}"
    )


def calibration_batches(path: str, ports: Sequence[Argument]) -> CalibrationData:
    """The calibration data of a folder or an `.npz`.

    .npz: an array per input by its name (or `images`, for a model with one input), its first axis
    the samples. Folder: a subfolder per input with one `.npy` per sample, or, for a model with one
    input, the `.npy` files themselves. Raises HbirError that says what is missing.
    """
    source = Path(path)
    if source.is_dir():
        return _Folder(source, ports)
    if not source.exists():
        raise HbirError(f"{path}: no such file or folder")
    return _Npz(source, ports)


class CalibrationData(ABC):
    """Batches, read one at a time; `len` says how many there are."""

    def __init__(self, path: Path, ports: Sequence[Argument]) -> None:
        self.path = path
        self.ports = ports
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Mapping[str, Array]]:
        for index in range(self.count):
            yield {port.name: self.sample(port, index) for port in self.ports}

    @abstractmethod
    def sample(self, port: Argument, index: int) -> Array:
        """One batch of one input, of its shape."""

    def agree(self, counts: Mapping[str, int]) -> int:
        """The one number of batches. Raises HbirError when inputs have different ones, or none."""
        if len(set(counts.values())) != 1:
            said = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise HbirError(f"{self.path}: inputs have different numbers of samples: {said}")
        count = next(iter(counts.values()))
        if not count:
            raise HbirError(f"{self.path}: holds no samples")
        return count

    def fitted(self, port: Argument, array: Array, what: str) -> Array:
        """`array` as a batch of `port`: as it is, or with the batch axis of 1 put before."""
        if port.type.takes((1, *array.shape)):
            array = array[np.newaxis]
        if not port.type.takes(array.shape):
            raise HbirError(
                f"{what}: input {port.name!r} needs shape {port.type.shape_text}, this is"
                f" {list(array.shape)}"
            )
        return array


class _Folder(CalibrationData):
    def __init__(self, path: Path, ports: Sequence[Argument]) -> None:
        super().__init__(path, ports)
        self.files = {port.name: self._files(port) for port in ports}
        self.count = self.agree({name: len(files) for name, files in self.files.items()})

    def _files(self, port: Argument) -> list[Path]:
        for folder in (self.path / port.name, self.path / port.name.replace("/", "_")):
            if folder.is_dir():
                return sorted(folder.glob("*.npy"))
        if len(self.ports) == 1:
            return sorted(self.path.glob("*.npy"))
        raise HbirError(
            f"{self.path}: no subfolder for input {port.name!r}; a model with several inputs needs"
            f" one per input: {', '.join(p.name for p in self.ports)}"
        )

    def sample(self, port: Argument, index: int) -> Array:
        file = self.files[port.name][index]
        return self.fitted(port, read_array(file), str(file))


class _Npz(CalibrationData):
    def __init__(self, path: Path, ports: Sequence[Argument]) -> None:
        super().__init__(path, ports)
        arrays = self._read()
        self.arrays = {port.name: self._find(arrays, port) for port in ports}
        self.count = self.agree({p.name: self._batches(p, self.arrays[p.name]) for p in ports})

    def _read(self) -> dict[str, Array]:
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if not isinstance(archive, np.lib.npyio.NpzFile):
                    raise ValueError("it is a .npy")
                wanted = {port.name for port in self.ports} | {IMAGES}
                return {name: archive[name] for name in archive.files if name in wanted}
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise HbirError(
                f"{self.path}: calibration data is a folder or an .npz of arrays ({error})"
            ) from None

    def _find(self, arrays: Mapping[str, Array], port: Argument) -> Array:
        if port.name in arrays:
            return arrays[port.name]
        if len(self.ports) == 1 and IMAGES in arrays:
            return arrays[IMAGES]
        alias = f" (or {IMAGES!r})" if len(self.ports) == 1 else ""
        raise HbirError(f"{self.path}: has no array {port.name!r}{alias}")

    def _batches(self, port: Argument, array: Array) -> int:
        batch = port.type.shape[0] if port.type.shape else 1
        if not port.type.takes((batch, *array.shape[1:])) or array.shape[0] < batch:
            rest = ", ".join(map(str, port.type.shape[1:]))
            raise HbirError(
                f"{self.path}: input {port.name!r} needs an array of shape [samples, {rest}],"
                f" this is {list(array.shape)}"
            )
        return array.shape[0] // batch

    def sample(self, port: Argument, index: int) -> Array:
        batch = port.type.shape[0]
        chunk = self.arrays[port.name][index * batch : (index + 1) * batch]
        return self.fitted(port, chunk, str(self.path))
