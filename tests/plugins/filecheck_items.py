"""Collects `tests/filecheck/**/*.mlir`, one pytest item a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.plugins.run_lines import NoRunLine, RunFailed, run_test

ROOT = Path(__file__).resolve().parents[1] / "filecheck"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """pytest's hook: an item for each .mlir below tests/filecheck, `Inputs` folders left out."""
    if file_path.suffix != ".mlir" or ROOT not in file_path.parents or "Inputs" in file_path.parts:
        return None
    return _make(FileCheckFile, parent, path=file_path)


def _make(kind: Any, parent: pytest.Collector, **arguments: Any) -> Any:
    """`from_parent`, whose arguments pytest leaves untyped."""
    return kind.from_parent(parent, **arguments)


class FileCheckFile(pytest.File):
    """A test file."""

    @override
    def collect(self) -> Iterator[pytest.Item]:
        yield _make(FileCheckItem, self, name="RUN")


class FileCheckItem(pytest.Item):
    """All RUN lines of a file."""

    @override
    def runtest(self) -> None:
        with tempfile.TemporaryDirectory(prefix="hbir-filecheck-") as scratch:
            run_test(self.path, Path(scratch))

    @override
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, RunFailed | NoRunLine):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    @override
    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.path.relative_to(ROOT).as_posix()
