"""Modules in files: weights not copied, names by origin, errors by file."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.module import Module

TEXT = """
func.func @f(%x: tensor<4x17xf32> {hbir.name = "image"}) -> tensor<4x17xf32> {
  %c = hbir.constant dense_resource<w> : tensor<4x17xf32>
  %y = hbir.add %x, %c {origin = #hbir.origin<"sum/out", from "Add_0" "Add">} : (tensor<4x17xf32>, tensor<4x17xf32>) -> tensor<4x17xf32>
  func.return %y : tensor<4x17xf32>
}
"""


@pytest.fixture
def module() -> Module:
    module = Module.parse(TEXT)
    module.weights.add_bytes(np.arange(68, dtype=np.float32).tobytes(), "w")
    return module


def test_weights_are_memory_mapped(module: Module, tmp_path: Path) -> None:
    hbir.save(module, tmp_path / "m.bc")
    again = hbir.load(tmp_path / "m.bc")
    blob = again.weights.blob("w")
    assert isinstance(blob.obj, mmap.mmap)
    assert blob == module.weights.blob("w")
    x = np.ones((4, 17), np.float32)
    np.testing.assert_array_equal(again[0](x), module[0](x))


def test_a_loaded_file_may_be_replaced(module: Module, tmp_path: Path) -> None:
    path = tmp_path / "m.bc"
    hbir.save(module, path)
    again = hbir.load(path)
    hbir.save(again, path)
    assert again.weights.blob("w") == module.weights.blob("w")
    assert hbir.load(path).weights.blob("w") == module.weights.blob("w")


def test_values_are_named_by_their_origins(module: Module, tmp_path: Path) -> None:
    hbir.save(module, tmp_path / "m.bc")
    text = hbir.load(tmp_path / "m.bc").asm()
    assert "%sum_out = hbir.add %image" in text


def test_saving_what_was_loaded_gives_the_same_bytes(module: Module, tmp_path: Path) -> None:
    module.level = "float"
    hbir.save(module, tmp_path / "a.bc")
    hbir.save(hbir.load(tmp_path / "a.bc"), tmp_path / "b.bc")
    assert (tmp_path / "b.bc").read_bytes() == (tmp_path / "a.bc").read_bytes()


def test_a_constant_without_data_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match="dense_resource<w> has no data"):
        hbir.save(Module.parse(TEXT), tmp_path / "m.bc")
    assert list(tmp_path.iterdir()) == []


def test_broken_bytecode_is_one_message_about_the_file(module: Module, tmp_path: Path) -> None:
    path = tmp_path / "m.bc"
    hbir.save(module, path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(HbirError, match=r"m\.bc: byte \d+, header: string section of \d+ bytes"):
        hbir.load(path)
