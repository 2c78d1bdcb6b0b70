"""`StageFiles`: writes the stages' ONNX files while the pipeline goes on.

Nothing waits for them, and most of what writing takes is NumPy's and the disk's, off Python's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from hbir.errors import HbirError
from hbir.ptq.build.artifacts import Artifacts

LOG = logging.getLogger("hbir.ptq")


class StageFiles:
    """Files in the order in which they are asked for; all are there when the `with` block ends.

    Where the block fails those that were asked for are written all the same: they show what it
    failed on. An interrupt leaves out those that haven't begun.
    """

    def __init__(self, files: Artifacts) -> None:
        self._files = files
        self._thread = ThreadPoolExecutor(1, "stage-files")
        self._begun: list[Future[None]] = []

    def write(self, what: str, write: Callable[[Path], None]) -> None:
        """Have `write` write a stage's file; what it reads mustn't change meanwhile. A network that
        can't be shown so compiles all the same."""
        self._begun.append(self._thread.submit(self._write, what, write))

    def _write(self, what: str, write: Callable[[Path], None]) -> None:
        path = self._files.path(what)
        try:
            write(path)
        except HbirError as error:
            LOG.warning("%s is not written: %s", path, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        interrupted = error is not None and not isinstance(error, Exception)
        self._thread.shutdown(cancel_futures=interrupted)
        if error is None:
            for future in self._begun:
                future.result()
