"""Run a command as a user would, and take its wall time and peak memory.

Linux counts the memory of the process that starts a command into the command's peak until it has
replaced its image, so whoever calls `measure` must stay small: this module and `__main__` import
neither numpy nor hbir.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a command: wall time, and the peak resident set of it and its children."""

    seconds: float
    peak_bytes: int


class CommandFailed(Exception):
    """A measured command exited with a code other than 0; the text holds its last output."""


def measure(command: list[str], log: Path) -> Run:
    """Run `command` with its output in `log`; raises CommandFailed unless it exits with 0."""
    with log.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code  # reaped here, not by subprocess
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise CommandFailed(f"`{' '.join(command)}` exited with {code}:\n{tail}")
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
