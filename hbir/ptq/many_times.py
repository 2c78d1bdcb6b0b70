"""Data that can be gone through more than once, whatever it comes as: `many_times`."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from hbir.errors import HbirError


@contextmanager
def many_times(data: Iterable[Any]) -> Generator[Iterable[Any]]:
    """`data` itself, but where it is an iterator, such as a generator gives, which ends after one
    time: then what it gives is kept in a temporary folder as it comes, until the block ends.

    Memory doesn't grow with its length. Raises HbirError where the folder has no more room.
    """
    if not isinstance(data, Iterator):
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="hbir-") as folder:
        yield _Kept(data, Path(folder))


class _Kept:
    """An iterator, and the files of what it has given."""

    def __init__(self, rest: Iterator[Any], folder: Path) -> None:
        self._rest, self._folder, self._count = rest, folder, 0

    def __iter__(self) -> Iterator[Any]:
        for number in count():
            path = self._folder / str(number)
            if number < self._count:
                yield pickle.loads(path.read_bytes())  # this process wrote it
                continue
            try:
                item = next(self._rest)
            except StopIteration:
                return
            _write(path, item)
            self._count += 1
            yield item


def _write(path: Path, item: Any) -> None:
    try:
        path.write_bytes(pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL))
    except OSError as error:
        raise HbirError(
            f"data that come from an iterator are kept in {path.parent}, which can't be written"
            f" ({error.strerror}); give a list or a CalibrationData, or set TMPDIR to a folder with"
            " more room"
        ) from None
