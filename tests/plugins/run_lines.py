"""Runs lit's RUN lines, hbir's own commands and filecheck in this process.

A lit test starts two or three Python processes, a third of a second of CPU; in one process it takes
about 30 ms. The subset of the shell that the tests use is done here: pipes, `&&`, `;`, `not`, `>`,
`>>`, `2>`, `2>&1` and `<`, with lit's rule that each command of a pipe must succeed. A command that
isn't ours runs as a subprocess, and a line with other shell syntax runs in bash.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

_RUN_LINE = re.compile(r"RUN:[ \t]*(.*)$")
_OPERATORS = frozenset({"|", "&&", ";"})
_REDIRECTS = frozenset({"<", ">", ">>"})
_BASH_ONLY = re.compile(r"""[$`]|\|\||[()]""")

_HBIR_COMMANDS = {
    "hbir-opt": "hbir.cli.opt",
    "hbir-compile": "hbir.cli.compile",
    "hbir-run": "hbir.cli.run",
    "hbir-disas": "hbir.cli.disas",
}


class RunFailed(Exception):
    """A RUN line that failed; the message shows the command and what it printed."""


class NoRunLine(Exception):
    """A test file that runs nothing."""


@dataclass
class _Command:
    """One command of a pipe; `expect_failure` counts as `not` does."""

    arguments: list[str] = field(default_factory=list[str])
    expect_failure: bool = False
    stdin: str | None = None
    stdout: str | None = None
    append: bool = False
    stderr: str | None = None
    stderr_to_stdout: bool = False


@dataclass(frozen=True)
class _Outcome:
    status: int
    stdout: bytes
    stderr: bytes


def run_lines(source: Path) -> list[str]:
    """The RUN lines of a test file, continuation lines joined. Raises NoRunLine."""
    lines: list[str] = []
    continued = False
    for text in source.read_text(encoding="utf-8").splitlines():
        match = _RUN_LINE.search(text)
        if match is None:
            continue
        line = match[1].rstrip()
        if continued:
            lines[-1] = f"{lines[-1]} {line.removesuffix(chr(92)).strip()}"
        else:
            lines.append(line.removesuffix("\\").strip())
        continued = line.endswith("\\")
    if not lines:
        raise NoRunLine(f"{source}: no RUN line")
    return lines


def substitute(line: str, source: Path, scratch: Path) -> str:
    """lit's %s, %S, %p, %t, %T and %%."""
    table = {
        "%s": str(source),
        "%S": str(source.parent),
        "%p": str(source.parent),
        "%t": str(scratch / f"{source.name}.tmp"),
        "%T": str(scratch),
        "%%": "%",
    }
    return re.sub(r"%[sSptT%]", lambda match: table[match[0]], line)


def run_test(source: Path, scratch: Path) -> None:
    """Run every RUN line of `source`; files named by %t go below `scratch`. Raises RunFailed."""
    for line in run_lines(source):
        run_line(substitute(line, source, scratch))


def run_line(line: str) -> None:
    """Run one line, substitutions done. Raises RunFailed at the first pipe that fails."""
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
    if _BASH_ONLY.search(unquoted):
        _run_in_bash(line)
        return
    for pipe in _parse(line):
        _run_pipe(pipe, line)


def _run_in_bash(line: str) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=_environment(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RunFailed(_report(line, [line], _Outcome(done.returncode, done.stdout, done.stderr)))


def _parse(line: str) -> Iterator[list[_Command]]:
    """The pipes of a line, in order."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.commenters = ""
    lexer.whitespace_split = True
    tokens = list(lexer)
    pipe = [_Command()]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token in ("&&", ";"):
            yield pipe
            pipe = [_Command()]
        elif token == "|":
            pipe.append(_Command())
        elif token in _REDIRECTS or token == ">&":
            _redirect(pipe[-1], token, tokens[position])
            position += 1
        elif token == "not" and not pipe[-1].arguments:
            pipe[-1].expect_failure = not pipe[-1].expect_failure
        else:
            pipe[-1].arguments.append(token)
    yield pipe


def _redirect(command: _Command, token: str, target: str) -> None:
    """`N> target`; the N stands as an argument before the operator."""
    number = "1"
    if token != "<" and command.arguments and command.arguments[-1] in ("1", "2"):
        number = command.arguments.pop()
    if token == "<":
        command.stdin = target
    elif token == ">&":
        command.stderr_to_stdout = number == "2" and target == "1"
    elif number == "2":
        command.stderr = target
    else:
        command.stdout, command.append = target, token == ">>"


def _run_pipe(pipe: Sequence[_Command], line: str) -> None:
    data = b""
    for command in pipe:
        if command.stdin is not None:
            data = Path(command.stdin).read_bytes()
        outcome = _run(command.arguments, data, command.stderr_to_stdout)
        if (outcome.status != 0) != command.expect_failure:
            raise RunFailed(_report(line, command.arguments, outcome))
        data = outcome.stdout
        if command.stderr is not None:
            Path(command.stderr).write_bytes(outcome.stderr)
        if command.stdout is not None:
            with open(command.stdout, "ab" if command.append else "wb") as stream:
                stream.write(data)
            data = b""


def _run(arguments: Sequence[str], data: bytes, merge: bool) -> _Outcome:
    """Run a command on `data`; with `merge` its stderr goes where its stdout goes."""
    name, *rest = arguments
    if name in _HBIR_COMMANDS:
        main = import_module(_HBIR_COMMANDS[name]).main
        return _run_here(name, lambda: main(rest), data, merge)
    if name == "filecheck":
        from filecheck.main import main as filecheck

        return _run_here(name, lambda: filecheck([name, *rest]), data, merge)
    done = subprocess.run(
        arguments,
        input=data,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        check=False,
    )
    return _Outcome(done.returncode, done.stdout, done.stderr or b"")


def _run_here(name: str, main: Callable[[], int | None], data: bytes, merge: bool) -> _Outcome:
    """Call `main` with streams of our own; an exception that leaves it is a defect: RunFailed."""
    with _streams(data, merge) as (stdout, stderr):
        try:
            status = main() or 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except Exception:  # whatever a command lets escape is the failure to report
            raise RunFailed(f"{name} ended in a traceback:\n{traceback.format_exc()}") from None
        sys.stdout.flush()
        sys.stderr.flush()
        return _Outcome(status, stdout.getvalue(), stderr.getvalue())


@contextmanager
def _streams(data: bytes, merge: bool) -> Generator[tuple[io.BytesIO, io.BytesIO]]:
    out, err = io.BytesIO(), io.BytesIO()
    out_text = io.TextIOWrapper(out, encoding="utf-8")
    err_text = out_text if merge else io.TextIOWrapper(err, encoding="utf-8")
    stdin = sys.stdin
    with redirect_stdout(out_text), redirect_stderr(err_text):
        sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
        try:
            yield out, err
        finally:
            sys.stdin = stdin


def _environment() -> dict[str, str]:
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")])}


def _report(line: str, arguments: Sequence[str], outcome: _Outcome) -> str:
    parts = [f"RUN: {line}"]
    if shlex.join(arguments) != line:
        parts.append(f"command: {shlex.join(arguments)}")
    parts.append(f"exit status: {outcome.status}")
    for name, data in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        if data:
            parts.append(f"---- {name}\n{data.decode(errors='replace').rstrip()}")
    return "\n".join(parts)
