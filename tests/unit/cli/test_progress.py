"""The progress display: on a terminal's stderr, and silent elsewhere."""

import io
import sys

import pytest
from typing_extensions import override

from hbir.cli.progress import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [False, True])
def test_stages_show_on_a_terminal_only(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress() as display:
        with display.stage("convert"):
            pass
        assert list(display.each("calibrate", iter("abc"), 3)) == ["a", "b", "c"]
    assert ("convert" in stream.getvalue()) == terminal
    assert ("calibrate" in stream.getvalue()) == terminal
    assert bool(stream.getvalue()) == terminal
