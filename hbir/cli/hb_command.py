"""What the `hb_*` commands do alike: a log file, messages as the vendor's tools print them, status.

Each writes `./<tool>.log` (1 MB, ten kept), INFO and above to the console too; it exits with 0, or
with 255 after an error, which is one line.
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import NoReturn, TextIO

from typing_extensions import override

import hbir
from hbir.errors import HbirError

FAILED = 255
LOG_BYTES, LOGS_KEPT = 1_000_000, 10
FORMAT = "%(asctime)s file: %(filename)s func: %(funcName)s line No: %(lineno)d %(message)s"

NEW_OBJECTS = 200_000
"""How many more Python objects than before make the garbage collector look for cycles.

By default it is 700, and a compilation makes millions that stay: the collector took a tenth of
ResNet-50's time. Arrays aren't among them, so that memory hardly grows.
"""

LOG = logging.getLogger("hbir")


class HbParser(argparse.ArgumentParser):
    """argparse as these tools have it: `-h`, `--version`, and errors as one line."""

    def __init__(self, tool: str, description: str) -> None:
        super().__init__(prog=tool, description=description, allow_abbrev=False)
        self.add_argument("--version", action="version", version=f"{tool} {hbir.__version__}")

    @override
    def error(self, message: str) -> NoReturn:
        raise HbirError(f"{message}; see {self.prog} --help")


def run_hb_command(tool: str, command: Callable[[], None]) -> int:
    """Run a command's body with its log file; returns the exit status."""
    handlers = _handlers(tool)
    for handler in handlers:
        LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    try:
        with rare_collections():
            command()
    except HbirError as error:
        LOG.error("%s", error)
        return FAILED
    except OSError as error:  # a full disk, a path that is too long
        LOG.error("%s: %s", error.filename or tool, error.strerror or error)
        return FAILED
    except KeyboardInterrupt:
        LOG.error("interrupted")
        return FAILED
    finally:
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()
    return 0


@contextmanager
def rare_collections() -> Generator[None]:
    """Cycles of Python objects are collected after `NEW_OBJECTS` in the block."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Console(logging.StreamHandler[TextIO]):
    """Writes to what stdout is at the time: a progress display puts itself before it."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


class _LogFile(RotatingFileHandler):
    """A log that goes without what a full disk doesn't take: the work may need no room."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    @override
    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _handlers(tool: str) -> list[logging.Handler]:
    console = _Console()
    console.setLevel(logging.INFO)
    console.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    file = Path(f"{tool}.log")
    try:
        log: logging.Handler = _LogFile(
            file, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8"
        )
    except OSError:  # a folder that can't be written is no reason not to work
        return [console]
    log.setFormatter(logging.Formatter(FORMAT))
    return [console, log]
