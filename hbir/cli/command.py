"""What all commands do alike: the argument parser, and how an error looks.

A user's error is one `error: ...` message on stderr and exit status 1, whether it is an option, a
file or a model that is wrong. The op it is about follows, alone and with its constants elided.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from typing_extensions import override

from hbir.errors import HbirError

MAX_OP_TEXT = 1000
"""Characters of an op shown in a message: more says less."""

_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000
"""What Python's collector waits for; 700 unless it is told. Arrays are freed without it."""


class CommandParser(argparse.ArgumentParser):
    """argparse, with a wrong option reported like any other error."""

    @override
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(1)


def error_text(error: BaseException, filename: str = "") -> str:
    """The message of an error: the file, what is wrong, and the op it is about."""
    message = str(error)
    if filename and filename not in message:
        message = f"{filename}: {message}"
    op = getattr(error, "op", None)
    if op is None:
        return f"error: {message}"
    from xdsl.ir import Operation

    if not isinstance(op, Operation) or op.regions:
        return f"error: {message}"
    from hbir.ir.text import op_text

    text = op_text(op)
    if len(text) > MAX_OP_TEXT:
        text = text[:MAX_OP_TEXT] + " ..."
    return f"error: {message}\n    {text}"


def log_to_stderr() -> None:
    """Show what hbir logs: choices that a user may want to know, and warnings."""
    import logging

    logger = logging.getLogger("hbir")
    logger.handlers = [logging.StreamHandler()]  # of this run's stderr
    logger.setLevel(logging.INFO)


def run_command(command: Callable[[], int]) -> int:
    """Run a command's body; returns its exit status, 1 after a user's error."""
    _collect_rarely()
    try:
        return command()
    except HbirError as error:
        print(error_text(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of our output has gone, as `| head` does; say nothing when Python flushes it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _collect_rarely() -> None:
    """Python's collector looks through every definition and op again and again, which takes a tenth
    of a short command's time, and a last time when the process ends, when it all goes anyway."""
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)
