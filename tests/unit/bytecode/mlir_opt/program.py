"""LLVM's own mlir-opt, the judge of what bytecode is: `make .venv-mlir/.stamp` installs it.

Set HBIR_MLIR_OPT to use another one. Tests are skipped where there is none.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_ENVIRONMENT = Path(__file__).parents[4] / ".venv-mlir"
_FOUND = [*_ENVIRONMENT.glob("lib/python3*/site-packages/mlir/bin/mlir-opt")]
_NAMED = os.environ.get("HBIR_MLIR_OPT")

PROGRAM = Path(_NAMED) if _NAMED else (_FOUND[0] if _FOUND else _ENVIRONMENT / "mlir-opt")

VERSIONS = range(7)
"""The versions of bytecode that it writes."""

needs_mlir_opt = pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM}")

_TEXT = ("--mlir-print-op-generic", "--mlir-print-debuginfo", "--mlir-print-local-scope")


def run_mlir_opt(data: bytes, *arguments: str) -> bytes:
    """What mlir-opt makes of `data`, text or bytecode; ops of any dialect are let through."""
    done = subprocess.run(
        [PROGRAM, "--allow-unregistered-dialect", *arguments],
        input=data,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def to_text(data: bytes) -> str:
    """Generic text with locations, which xDSL can parse."""
    return run_mlir_opt(data, *_TEXT).decode()


def to_bytecode(data: bytes, version: int) -> bytes:
    """Bytecode of `version`."""
    return run_mlir_opt(data, "--emit-bytecode", f"--emit-bytecode-version={version}")
