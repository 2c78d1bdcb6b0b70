"""Calibration data: what files are taken, how they become samples, and what is said of others."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.interface import Argument, ArgumentType
from hbir.ptq.calibration_data import CalibrationData, random_data, read_folders


def _port(name: str = "x", shape: tuple[int, ...] = (1, 3, 4, 4), dtype: str = "f4") -> Argument:
    return Argument(name, ArgumentType(shape, np.dtype(dtype)))


def _save(folder: Path, *arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Path:
    folder.mkdir(exist_ok=True)
    for index, array in enumerate(arrays):
        np.save(folder / f"{index}.npy", array)
    return folder


def _read(folder: Path, port: Argument, batch: int | None = None) -> CalibrationData:
    return read_folders([folder], [port], batch)


def test_a_file_is_a_sample_with_or_without_its_batch_axis_or_several(tmp_path: Path) -> None:
    values = np.arange(5 * 48, dtype=np.float32).reshape(5, 3, 4, 4)
    folder = _save(tmp_path / "x", values[0], values[1:2], values[2:])
    data = _read(folder, _port())
    assert len(data) == 5
    for _ in range(2):  # any number of times
        np.testing.assert_array_equal(np.concatenate([sample["x"] for sample in data]), values)


@given(files=st.lists(st.integers(1, 4), min_size=1, max_size=4), batch=st.integers(1, 4))
def test_batches_take_samples_in_order_and_the_last_is_filled_up_from_the_start(
    tmp_path_factory: pytest.TempPathFactory, files: list[int], batch: int
) -> None:
    total = sum(files)
    values = np.arange(total * 2, dtype=np.float32).reshape(total, 2)
    ends = np.cumsum(files)
    parts = [values[end - count : end] for count, end in zip(files, ends, strict=True)]
    folder = _save(tmp_path_factory.mktemp("data") / "x", *parts)
    data = _read(folder, _port(shape=(batch, 2)), batch)
    assert len(data) == -(-total // batch)
    seen = np.concatenate([sample["x"] for sample in data])
    expected = np.concatenate([values] * (1 + batch))[: len(seen)]
    np.testing.assert_array_equal(seen, expected)


def test_a_model_with_a_batch_of_its_own_takes_whole_batches(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    data = _read(_save(tmp_path / "x", values), _port(shape=(2, 6)))
    assert len(data) == 2
    np.testing.assert_array_equal(data[1]["x"], values[2:])
    with pytest.raises(HbirError, match=r"0.npy: input 'x' takes arrays of shape \[3, 6\]"):
        _read(tmp_path / "x", _port(shape=(3, 6)))


@pytest.mark.parametrize(("given_dtype", "dtype"), [("f8", "f4"), ("u1", "f4"), ("i8", "i4")])
def test_numbers_become_the_type_of_the_input(tmp_path: Path, given_dtype: str, dtype: str) -> None:
    folder = _save(tmp_path / "x", np.ones((1, 2), given_dtype))
    sample = _read(folder, _port(shape=(1, 2), dtype=dtype))[0]["x"]
    assert sample.dtype == np.dtype(dtype)


@pytest.mark.parametrize(("given_dtype", "dtype"), [("c8", "f4"), ("f4", "i4"), ("?", "f4")])
def test_other_types_are_refused(tmp_path: Path, given_dtype: str, dtype: str) -> None:
    folder = _save(tmp_path / "x", np.ones((1, 2), given_dtype))
    with pytest.raises(HbirError, match=r"0\.npy: input 'x' takes .*, this array holds"):
        _read(folder, _port(shape=(1, 2), dtype=dtype))


def test_a_file_with_its_axes_in_another_order_is_told_so(tmp_path: Path) -> None:
    for array in (np.zeros((1, 4, 4, 3)), np.zeros((4, 4, 3))):
        folder = _save(tmp_path / "x", array)
        with pytest.raises(HbirError, match=r"4, 3\]; transpose it"):
            _read(folder, _port())


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_refused_with_their_file(tmp_path: Path, number: float) -> None:
    folder = _save(tmp_path / "x", np.zeros((1, 2)), np.array([[1.0, number]]))
    data = _read(folder, _port(shape=(1, 2)))
    assert not data[0]["x"].any()
    with pytest.raises(HbirError, match=r"1\.npy: input 'x' holds nan or inf"):
        _ = data[1]


def _object_array(path: Path) -> None:
    np.save(path, np.array([{}], object), allow_pickle=True)


def _truncated(path: Path) -> None:
    np.save(path, np.zeros((1, 3, 4, 4), np.float32))
    path.write_bytes(path.read_bytes()[:-7])


def _huge(path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999)}"
    text = header.ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


def _code(path: Path) -> None:
    text = b"{'descr': __import__('os').system('false'), 'fortran_order': False, 'shape': ()}\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


def _unbalanced(path: Path) -> None:
    np.save(path, np.zeros((1, 3, 4, 4), np.float32))
    path.write_bytes(path.read_bytes().replace(b"(1, 3", b"21, 3"))


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"")


def _text(path: Path) -> None:
    path.write_text("1 2 3")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "write", [_object_array, _truncated, _huge, _code, _unbalanced, _archive, _text, _empty]
)
def test_broken_files_are_named(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "bad.npy")
    with pytest.raises(HbirError, match=r"bad\.npy: (not a \.npy file of numbers|expected a)"):
        _read(tmp_path, _port())


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("data")
    (folder / "any.npy").write_bytes(b"\x93NUMPY\x01\x00" + data)
    with pytest.raises(HbirError, match=r"any\.npy"):
        _read(folder, _port())


def test_folders_must_hold_files_and_as_many_for_each_input(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match=r"holds no \.npy files for input 'x'"):
        _read(tmp_path, _port())
    (tmp_path / "0.bin").write_bytes(b"")
    raw = r"\(a raw file is numpy\.fromfile\(FILE, 'float32'\)\.reshape\(\[1, 3, 4, 4\]\)\)"
    with pytest.raises(HbirError, match=raw):
        _read(tmp_path, _port())
    one = _save(tmp_path / "a", np.zeros((1, 2), np.float32))
    two = _save(tmp_path / "b", np.zeros((2, 2), np.float32))
    ports = [_port("a", (1, 2)), _port("b", (1, 2))]
    with pytest.raises(HbirError, match=r"different numbers of samples \(a: 1 in .*, b: 2 in"):
        read_folders([one, two], ports)


def test_other_files_are_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = _save(tmp_path / "x", np.zeros((1, 2), np.float32))
    (folder / "readme.txt").write_text("about")
    assert len(_read(folder, _port(shape=(1, 2)))) == 1
    assert "1 entries that aren't .npy files are left out" in caplog.text


def test_made_up_data_are_the_same_every_time() -> None:
    ports = [_port(), _port("ids", (1, 4), "i8")]
    first, second = (random_data(ports) for _ in range(2))
    assert first.random
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a["x"], b["x"])
        assert a["x"].std() > 0.5
        assert not a["ids"].any()
