"""Files: whole or not at all, and messages that name them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hbir.errors import HbirError
from hbir.files import read_file, read_json, read_text_file, write_file


def test_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_file(path, b"one")
    write_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_failed_write_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.mkdir()
    (path / "kept").write_text("kept")
    with pytest.raises(HbirError, match="can't be written"):
        write_file(path, b"two")
    assert (path / "kept").read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match=r"nowhere.*can't be written"):
        write_file(tmp_path / "nowhere" / "a.bin", b"")


@pytest.mark.parametrize(("name", "message"), [("missing", "no such file"), (".", "directory")])
def test_unreadable_files_are_said(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        read_file(tmp_path / name)


def test_binary_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mlir"
    path.write_bytes(b"module {\xff}")
    with pytest.raises(HbirError, match="byte 8 is not UTF-8"):
        read_text_file(path)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError, HbirError])
def test_a_write_that_stops_half_way_leaves_what_was_there(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise stop

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(stop):
        write_file(path, chunks())
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_json_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text, message in (("{", "not JSON: "), ("[" * 50_000, "nested too deeply")):
        path.write_text(text)
        with pytest.raises(HbirError, match=message):
            read_json(path)
