"""Tables of functions by operator name."""

import pytest

from hbir.frontends.torch.registry import import_functions, imports
from hbir.ir.function_table import FunctionTable


def test_an_operator_has_one_function() -> None:
    import_functions()
    with pytest.raises(ValueError, match=r"relu\.default is in the table of .*torch twice"):
        imports("relu.default")(lambda node: node.value("self"))


def test_functions_are_found_by_every_name_they_were_entered_under() -> None:
    table: FunctionTable[type] = FunctionTable("nowhere", ())
    table.register(["b", "a"])(int)
    assert table.functions() == {"a": int, "b": int}


def test_a_family_without_a_file_is_an_error() -> None:
    table: FunctionTable[type] = FunctionTable("hbir.ir", ["no_such_family"])
    with pytest.raises(ModuleNotFoundError, match="no_such_family"):
        table.functions()
