"""Reading and writing files as a tool should: clear errors, and never half a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hbir.errors import HbirError


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


def write_file(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write beside, then rename: a failure leaves what was there before. Raises HbirError."""
    file = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, file)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise HbirError(f"{file}: can't be written ({error.strerror})") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
