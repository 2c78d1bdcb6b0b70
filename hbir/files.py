"""Reading and writing files as a tool should: clear errors, and never half a file."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hbir.errors import HbirError

if TYPE_CHECKING:
    import numpy as np


class SuffixError(HbirError, ValueError):
    """A file name that doesn't end as its kind must."""


def read_file(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes. Raises HbirError that names the file and what is wrong."""
    file = Path(path)
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise HbirError(f"{file}: no such file") from None
    except IsADirectoryError:
        raise HbirError(f"{file}: is a directory, expected a file") from None
    except OSError as error:
        raise HbirError(f"{file}: can't be read ({error.strerror})") from None


def map_file(path: str | os.PathLike[str]) -> memoryview:
    """A file's bytes, memory-mapped: what is not looked at is not read. Raises as read_file.

    Whoever replaces the file should write beside and rename, as `write_file` does; a file that is
    shortened in place takes the bytes away.
    """
    file = Path(path)
    try:
        with open(file, "rb") as stream:
            return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # empty, a pipe, or nothing at all: as for any other file
        return memoryview(read_file(file))


def read_text_file(path: str | os.PathLike[str], refuse: Mapping[bytes, str] | None = None) -> str:
    """A UTF-8 file's text. `refuse` maps leading bytes to what such a file is, to say so."""
    data = read_file(path)
    for magic, what in (refuse or {}).items():
        if data.startswith(magic):
            raise HbirError(f"{path}: is {what}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise HbirError(f"{path}: not text (byte {error.start} is not UTF-8)") from None


def read_json(path: str | os.PathLike[str]) -> object:
    """What a file of JSON holds. Raises HbirError that names the file."""
    import json

    try:
        return json.loads(read_text_file(path))
    except ValueError as error:
        raise HbirError(f"{path}: not JSON: {error}") from None
    except RecursionError:
        raise HbirError(f"{path}: not JSON of any use: nested too deeply") from None


def read_array(path: str | os.PathLike[str], *, mapped: bool = False) -> np.ndarray[Any, Any]:
    """The array of a `.npy` file, memory-mapped if asked. Raises HbirError that names the file."""
    import numpy as np

    file = Path(path)
    try:
        with np.errstate(over="ignore"):  # of a shape beyond all bounds, which is then refused
            loaded: object = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise HbirError(f"{file}: no such file") from None
    except Exception as error:  # NumPy's parser of headers raises whatever Python's does
        reason = " ".join(str(error).split())
        raise HbirError(f"{file}: not a .npy file of numbers ({reason})") from None
    if not isinstance(loaded, np.ndarray):
        raise HbirError(f"{file}: expected a .npy file with one array, this is an .npz")
    return cast("np.ndarray[Any, Any]", loaded)


def write_file(
    path: str | os.PathLike[str], data: bytes | memoryview | Iterable[bytes | memoryview]
) -> None:
    """Write beside, then rename: a failure, or an interruption, leaves what was there before and
    nothing else. Raises HbirError.

    `data` may be chunks, written one after the other.
    """
    chunks = (data,) if isinstance(data, bytes | memoryview) else data
    file = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(chunks)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, file)
        temporary = None
    except OSError as error:
        raise HbirError(f"{file}: can't be written ({error.strerror})") from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
