"""Arrays on the command line: calibration data in its forms, and what is said of wrong ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hbir.cli.arrays import calibration_batches, named_arrays
from hbir.errors import HbirError
from hbir.files import read_array
from hbir.interface import Argument, ArgumentType

F32 = np.dtype(np.float32)
ONE = (Argument("image", ArgumentType((1, 2, 3), F32)),)
TWO = (Argument("a/x", ArgumentType((2, 3), F32)), Argument("b", ArgumentType((1, 4), F32)))


def save_npz(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    # np.savez's own type takes every keyword for its `allow_pickle`
    save: Any = np.savez
    save(path, **arrays)


def ramp(*shape: int) -> np.ndarray[Any, Any]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_npz_by_input_name_or_images(tmp_path: Path) -> None:
    samples = ramp(5, 2, 3)
    for key in ("image", "images"):
        save_npz(tmp_path / f"{key}.npz", **{key: samples, "labels": np.zeros(5)})
        data = calibration_batches(str(tmp_path / f"{key}.npz"), ONE)
        batches = list(data)
        assert len(data) == len(batches) == 5
        np.testing.assert_array_equal(batches[3]["image"], samples[3:4])


def test_npz_of_several_inputs_is_cut_into_their_batches(tmp_path: Path) -> None:
    first, second = ramp(7, 3), ramp(3, 4)
    save_npz(tmp_path / "data.npz", **{"a/x": first, "b": second})
    batches = list(calibration_batches(str(tmp_path / "data.npz"), TWO))
    assert len(batches) == 3
    np.testing.assert_array_equal(batches[2]["a/x"], first[4:6])
    np.testing.assert_array_equal(batches[2]["b"], second[2:3])


def test_a_folder_of_samples_with_and_without_the_batch_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "1.npy", ramp(2, 3))
    np.save(tmp_path / "0.npy", ramp(1, 2, 3) + 1)
    batches = list(calibration_batches(str(tmp_path), ONE))
    assert [batch["image"].shape for batch in batches] == [(1, 2, 3)] * 2
    np.testing.assert_array_equal(batches[0]["image"], ramp(1, 2, 3) + 1)


def test_subfolders_per_input(tmp_path: Path) -> None:
    for name, shape in (("a_x", (2, 3)), ("b", (4,))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "s.npy", ramp(*shape))
    (batch,) = calibration_batches(str(tmp_path), TWO)
    assert batch["a/x"].shape == (2, 3)
    assert batch["b"].shape == (1, 4)


def _nothing(_: Path) -> None:
    return


def _wrong_name(folder: Path) -> None:
    np.savez(folder / "data.npz", other=ramp(5, 2, 3))


def _wrong_shape(folder: Path) -> None:
    np.savez(folder / "data.npz", image=ramp(5, 3, 3))


def _garbage(folder: Path) -> None:
    (folder / "data.npz").write_bytes(b"not an archive")


def _pickled(folder: Path) -> None:
    np.savez(folder / "data.npz", image=np.array([{}], object))


def _a_single_array(folder: Path) -> None:
    with (folder / "data.npz").open("wb") as stream:
        np.save(stream, ramp(5, 2, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_nothing, "no such file or folder"),
        (_wrong_name, r"has no array 'image' \(or 'images'\)"),
        (_wrong_shape, r"needs an array of shape \[samples, 2, 3\], this is \[5, 3, 3\]"),
        (_garbage, "calibration data is a folder or an .npz"),
        (_pickled, "calibration data is a folder or an .npz"),
        (_a_single_array, "calibration data is a folder or an .npz"),
    ],
)
def test_wrong_npz_files_are_named(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path)
    with pytest.raises(HbirError, match=message):
        calibration_batches(str(tmp_path / "data.npz"), ONE)


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match="holds no samples"):
        calibration_batches(str(tmp_path), ONE)
    with pytest.raises(HbirError, match="no subfolder for input 'a/x'"):
        calibration_batches(str(tmp_path), TWO)
    np.save(tmp_path / "s.npy", ramp(9, 9))
    with pytest.raises(HbirError, match=r"s\.npy: input 'image' needs shape \[1, 2, 3\]"):
        list(calibration_batches(str(tmp_path), ONE))


def test_inputs_with_different_numbers_of_samples_are_named(tmp_path: Path) -> None:
    save_npz(tmp_path / "data.npz", **{"a/x": ramp(4, 3), "b": ramp(5, 4)})
    with pytest.raises(HbirError, match="different numbers of samples: a/x has 2, b has 5"):
        calibration_batches(str(tmp_path / "data.npz"), TWO)


def test_inputs_by_name_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "x=1.npy"
    np.save(path, ramp(1, 2, 3))
    for option in (f"image={path}", str(path)):
        np.testing.assert_array_equal(named_arrays([option], ONE)["image"], ramp(1, 2, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "missing: -i image=FILE.npy"),
        (["imge=x.npy"], r"expected NAME=FILE\.npy, with NAME one of image"),
        (["image=nowhere.npy"], r"nowhere\.npy: no such file"),
    ],
)
def test_wrong_options_are_named(options: list[str], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        named_arrays(options, ONE)


def test_files_that_are_not_npy_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY but not really")
    with pytest.raises(HbirError, match=r"x\.npy: not a \.npy file"):
        read_array(tmp_path / "x.npy")
    np.savez(tmp_path / "y.npz", a=ramp(2))
    with pytest.raises(HbirError, match=r"expected a \.npy file with one array"):
        read_array(tmp_path / "y.npz")
