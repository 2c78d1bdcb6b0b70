"""Tables of functions by operator name."""

import importlib
import sys
from pathlib import Path

import pytest

from hbir.frontends.torch.registry import import_functions, imports
from hbir.ir.function_table import FunctionTable


def test_an_operator_has_one_function() -> None:
    import_functions()
    with pytest.raises(ValueError, match=r"relu\.default is in the table of .*torch twice"):
        imports("relu.default")(lambda node: node.value("self"))


def test_functions_are_found_by_every_name_they_were_entered_under() -> None:
    table: FunctionTable[type] = FunctionTable("hbir.ir", "nothing")
    table.register(["b", "a"])(int)
    assert table.functions() == {"a": int, "b": int}


def test_the_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "two_families"
    package.mkdir()
    registry = "from hbir.ir.function_table import FunctionTable\n"
    registry += 'TABLE = FunctionTable("two_families", "enters")\nenters = TABLE.register\n'
    family = "from two_families.registry import enters\n\n\n@enters(['{0}'])\ndef {0}(): ...\n"
    files = {
        "__init__": "",
        "registry": registry,
        "second": family.format("conv"),
        "first": family.format("add"),
        "other": "raise ImportError('not a family')\n",
    }
    for name, text in files.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    table = importlib.import_module("two_families.registry").TABLE
    assert table.families() == ["first", "second"]
    assert list(table.functions()) == ["add", "conv"]
