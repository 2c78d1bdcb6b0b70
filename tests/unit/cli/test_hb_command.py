"""What the hb_* commands do alike."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hbir.cli import hb_command
from hbir.cli.hb_command import LOG, run_hb_command


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_full_disk_costs_the_log_and_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
) -> None:
    """What is in the file's buffer goes to the disk with a line, or when the file is closed."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LOG, "handlers", [])  # other tests' handlers write where nothing is open
    monkeypatch.setattr(hb_command.RotatingFileHandler, method, full)
    assert run_hb_command("tool", lambda: LOG.info("hello")) == 0
    printed = capsys.readouterr()
    assert "hello" in printed.out
    assert printed.err == ""
