"""Versions of files: said by every one, checked before anything else, upgraded or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr

import hbir
from hbir.bytecode import write_bytecode
from hbir.ir import version
from hbir.ir.version import DIALECT_VERSION, VersionError
from hbir.module import Module

TEXT = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> { func.return %x : tensor<4xf32> }"


@pytest.mark.parametrize("suffix", [".bc", ".mlir"])
def test_files_say_their_versions_and_saving_changes_nothing(tmp_path: Path, suffix: str) -> None:
    module = Module.parse(TEXT)
    before = module.asm()
    hbir.save(module, tmp_path / f"m{suffix}")
    assert module.asm() == before
    attributes = hbir.load(tmp_path / f"m{suffix}").op.attributes
    assert attributes["hbir.version"] == StringAttr(DIALECT_VERSION)
    assert str(attributes["hbir.format"]) == "1 : i64"


def old_file(path: Path, attributes: str) -> Path:
    """A file whose module says `attributes`."""
    text = f"module attributes {{{attributes}}} {{ {TEXT} }}"
    if path.suffix == ".mlir":
        path.write_text(text)
    else:
        module = Module.parse(text.replace("hbir.", "held."))
        op = module.op
        for key in list(op.attributes):
            op.attributes[key.replace("held.", "hbir.")] = op.attributes.pop(key)
        path.write_bytes(b"".join(write_bytecode(op)))
    return path


@pytest.mark.parametrize("name", ["m.bc", "m.mlir"])
@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('hbir.version = "99.0"', "newer hbir, in dialect version 99.0; this one reads up to"),
        ('hbir.version = "0.0.1"', "dialect version 0.0.1; this hbir reads"),
        ('hbir.version = "new"', "expected numbers such as"),
        ("hbir.format = 2 : i64", "file format 2; this hbir reads format 1"),
    ],
)
def test_other_versions_are_refused(
    name: str, attributes: str, message: str, tmp_path: Path
) -> None:
    path = old_file(tmp_path / name, attributes)
    with pytest.raises(VersionError, match=message) as failure:
        hbir.load(path)
    assert str(failure.value).startswith(f"{path}: ")


def test_a_text_that_does_not_parse_because_it_is_newer_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.mlir"
    path.write_text('module attributes {hbir.version = "99.0"} { hbir.op_of_tomorrow }')
    with pytest.raises(VersionError, match="newer hbir"):
        hbir.load(path)


@pytest.mark.parametrize("name", ["m.bc", "m.mlir"])
def test_an_older_version_is_upgraded_step_by_step(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def first(module: ModuleOp) -> None:
        steps.append("first")

    def second(module: ModuleOp) -> None:
        steps.append("second")
        module.attributes["hbir.upgraded"] = UnitAttr()

    monkeypatch.setitem(version.UPGRADES, "0.0.1", ("0.0.2", first))
    monkeypatch.setitem(version.UPGRADES, "0.0.2", (DIALECT_VERSION, second))
    module = hbir.load(old_file(tmp_path / name, 'hbir.version = "0.0.1"'))
    assert steps == ["first", "second"]
    assert module.version == DIALECT_VERSION
    assert "hbir.upgraded" in module.op.attributes
