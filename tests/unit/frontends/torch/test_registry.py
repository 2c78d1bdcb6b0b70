"""The table of operators."""

from pathlib import Path

import torch

from hbir.frontends.torch import registry
from hbir.frontends.torch.cpu import cpu_functions
from hbir.frontends.torch.registry import import_functions

FOLDER = Path(registry.__file__).parent
OTHER_FILES = {
    "__init__", "constant_folding", "cpu", "importer", "names", "node_import", "ports", "program",
    "registry", "values",
}  # fmt: skip


def exists(overload: str) -> bool:
    packet, _, name = overload.partition(".")
    return hasattr(getattr(torch.ops.aten, packet, None), name)


def test_every_file_of_the_folder_is_read() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")}
    read = {function.__module__.rpartition(".")[2] for function in import_functions().values()}
    assert files - OTHER_FILES == read


def test_the_operators_exist() -> None:
    assert [name for name in import_functions() if not exists(name)] == []


def test_the_cpu_operators_exist_in_some_overload() -> None:
    """Their table pairs names with the overloads that such operators have."""
    packets = {name.partition(".")[0] for name in cpu_functions()}
    assert [name for name in sorted(packets) if not hasattr(torch.ops.aten, name)] == []


def test_every_function_says_what_becomes_of_the_operator() -> None:
    functions = set(import_functions().values())
    assert [f.__name__ for f in functions if not (f.__doc__ or "").strip()] == []
