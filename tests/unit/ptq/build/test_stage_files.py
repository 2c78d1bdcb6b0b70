"""Stage files come in order and beside the pipeline, and are there when its block ends."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hbir.errors import HbirError
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.build.stage_files import StageFiles

NAMES = ("original_float", "optimized_float", "calibrated", "ptq")


def test_files_are_written_in_order_while_the_block_goes_on(tmp_path: Path) -> None:
    files, written, go_on = Artifacts(tmp_path, "net"), list[Path](), threading.Event()
    with StageFiles(files) as stages:
        stages.write(NAMES[0], lambda path: (go_on.wait(10), written.append(path))[1])
        for name in NAMES[1:]:
            stages.write(name, written.append)
        assert not written, "the first waits for this block"
        go_on.set()
    assert written == [files.path(name) for name in NAMES]


def test_what_cant_be_shown_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(path: Path) -> None:
        raise HbirError(f"{path.stem} has no ONNX form")

    written: list[Path] = []
    with caplog.at_level(logging.WARNING), StageFiles(Artifacts(tmp_path, "net")) as stages:
        stages.write("calibrated", fail)
        stages.write("ptq", written.append)
    assert len(written) == 1
    assert "is not written: net_calibrated_model has no ONNX form" in caplog.text


def interrupted(files: Artifacts, write: Callable[[Path], None], error: BaseException) -> None:
    """A block that asks for all files and fails once the first has begun."""
    begun = threading.Event()

    def first(path: Path) -> None:
        begun.set()
        time.sleep(0.1)
        write(path)

    with StageFiles(files) as stages:
        stages.write(NAMES[0], first)
        for name in NAMES[1:]:
            stages.write(name, write)
        begun.wait(10)
        raise error


def test_they_are_written_where_the_block_fails(tmp_path: Path) -> None:
    written: list[Path] = []
    with pytest.raises(HbirError, match="convert failed"):
        interrupted(Artifacts(tmp_path, "net"), written.append, HbirError("convert failed"))
    assert len(written) == len(NAMES)


def test_an_interrupt_leaves_out_what_hasnt_begun(tmp_path: Path) -> None:
    written: list[Path] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(Artifacts(tmp_path, "net"), written.append, KeyboardInterrupt())
    assert len(written) == 1


def test_other_errors_reach_the_user(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(OSError, match="No space"), StageFiles(Artifacts(tmp_path, "net")) as stages:
        stages.write("ptq", fail)
