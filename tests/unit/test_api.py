"""load and save: suffixes, contents, and what malformed files get."""

from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.module import Module

TEXT = """
func.func @main(%x: tensor<1x4xf32> {hbir.name = "x"}) -> tensor<1x4xf32> {
  %r = hbir.relu %x {origin = #hbir.origin<"r", from "Relu_0" "Relu">} : tensor<1x4xf32>
  func.return %r : tensor<1x4xf32>
}
"""


@pytest.mark.parametrize("suffix", [".bc", ".mlir"])
def test_save_then_load_gives_the_same_module(tmp_path: Path, suffix: str) -> None:
    module = Module.parse(TEXT)
    module.level = "float"  # which says the versions too
    path = tmp_path / f"m{suffix}"
    hbir.save(module, path)
    again = hbir.load(path)
    assert again.asm(elide=False) == module.asm(elide=False)
    x = np.array([[-1, 0, 1, 2]], np.float32)
    np.testing.assert_array_equal(again[0](x), module[0](x))


def test_the_same_module_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.bc", "b.bc"):
        hbir.save(Module.parse(TEXT), tmp_path / name)
    assert (tmp_path / "a.bc").read_bytes() == (tmp_path / "b.bc").read_bytes()


def test_wrong_suffix_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"invalid file\. should end with \.bc"):
        hbir.save(Module.parse(TEXT), tmp_path / "m.txt")
    with pytest.raises(ValueError, match=r"invalid file\. should end with \.bc"):
        hbir.load(tmp_path / "m.hbm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"ML\xefR\x0d", b"func.func @f(", b"module {} module {"]
)
def test_malformed_files_get_one_message_that_names_them(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.bc"
    path.write_bytes(data)
    with pytest.raises(HbirError, match=r"bad\.bc"):
        hbir.load(path)


def test_a_module_that_does_not_verify_is_refused_by_file_and_op(tmp_path: Path) -> None:
    path = tmp_path / "bad.mlir"
    path.write_text(
        TEXT.replace("hbir.relu %x", '"hbir.relu"(%r)').replace(
            ">} : tensor<1x4xf32>", ">} : (tensor<1x4xf32>) -> tensor<1x4xf32>"
        )
    )
    with pytest.raises(HbirError, match=r"bad\.mlir.*hbir\.relu.*before it is defined"):
        hbir.load(path)


def test_options_that_are_not_there_are_named(tmp_path: Path) -> None:
    x = np.array([[-1, 0, 1, 2]], np.float32)
    calibrated = hbir.calibrate(Module.parse(TEXT), [{"x": x}])
    with pytest.raises(HbirError, match="convert has no option 'run_on_gpu'; it takes run_on_cpu"):
        hbir.convert(calibrated, "nash-e", run_on_gpu=["Relu_0"])
    quantized = hbir.convert(calibrated, "nash-e", enable_hpc=True)
    with pytest.raises(HbirError, match="compile has no option 'hpc'; it takes advice, balance"):
        hbir.compile(quantized, tmp_path / "m.hbm", hpc=True)
    hbm = hbir.compile(
        quantized, tmp_path / "m.hbm", opt=0, enable_hpc=False, hbdk3_compatible_mode=False
    )
    with pytest.raises(HbirError, match="remote_ip: hbir runs on no board"):
        hbir.hbm_perf(hbm, tmp_path, remote_ip="192.168.1.10", username="root")
    with pytest.raises(HbirError, match="hbm_perf has no option 'ip'"):
        hbir.hbm_perf(hbm, tmp_path, ip="192.168.1.10")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.hbm"]
