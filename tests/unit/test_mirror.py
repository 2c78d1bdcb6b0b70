"""A newcomer finds a test by the path of what it tests: the tests mirror hbir/.

FileCheck tests: `tests/filecheck/X.mlir`, or a folder `tests/filecheck/X/`, for `hbir/X.py` or the
folder `hbir/X/`. Unit tests: `tests/unit/A/test_X.py` for `hbir/A/X.py`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hbir.passes import load_pass, pass_modules

ROOT = Path(__file__).resolve().parents[2]
HBIR = ROOT / "hbir"
FILECHECK = ROOT / "tests" / "filecheck"
UNIT = ROOT / "tests" / "unit"

DEFINITIONS = {"irdl_op_definition", "irdl_attr_definition"}
MAX_LINES = 500
OF_THE_TREE = {"test_mirror.py", "test_layers.py", "test_docs.py"}
BY_JUDGE = {"bytecode/mlir_opt", "kernels/tosa"}
"""Folders of tests that set many things against one independent judge."""


def sources(folder: str) -> list[Path]:
    """The Python files below hbir/`folder`, as paths relative to hbir/."""
    return sorted(path.relative_to(HBIR) for path in (HBIR / folder).rglob("*.py"))


def classes(source: Path) -> Iterator[ast.ClassDef]:
    tree = ast.parse((HBIR / source).read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def names(expressions: list[ast.expr]) -> set[str]:
    """The last parts of dotted names."""
    return {ast.unparse(expression).rsplit(".", 1)[-1] for expression in expressions}


def defines_ir(source: Path) -> bool:
    return any(names(node.decorator_list) & DEFINITIONS for node in classes(source))


def defines_pass(source: Path) -> bool:
    return any("ModulePass" in names(node.bases) for node in classes(source))


def module_file(module: str) -> Path:
    """A pass's file or folder relative to hbir/, without suffix."""
    return Path(*module.split(".")[1:])


def has_tests(stem: Path) -> bool:
    """Whether tests/filecheck has `stem`.mlir, or a folder `stem` with tests in it."""
    target = FILECHECK / stem
    return target.with_name(f"{target.name}.mlir").is_file() or any(target.rglob("*.mlir"))


def filecheck_tests(folder: str) -> list[Path]:
    found = (path.relative_to(FILECHECK) for path in (FILECHECK / folder).rglob("*.mlir"))
    return sorted(path for path in found if "Inputs" not in path.parts)


@pytest.mark.parametrize(("name", "module"), pass_modules().items(), ids=list(pass_modules()))
def test_a_pass_has_filecheck_tests_at_its_path(name: str, module: str) -> None:
    assert has_tests(module_file(module)), (
        f"pass {name} has no test: write tests/filecheck/{module_file(module)}.mlir"
    )


@pytest.mark.parametrize(("name", "module"), pass_modules().items(), ids=list(pass_modules()))
def test_a_pass_loads_under_the_name_of_its_file(name: str, module: str) -> None:
    assert load_pass(name).name == name == module.rsplit(".", 1)[-1].replace("_", "-")


def test_every_pass_is_registered() -> None:
    registered = {module_file(module) for module in pass_modules().values()}
    defining = {
        path.parent if path.name == "__init__.py" else path.with_suffix("")
        for path in sources("passes")
        if defines_pass(path)
    }
    assert defining == registered


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        path: len((HBIR / path).read_text(encoding="utf-8").splitlines()) for path in sources("")
    }
    long = {str(path): length for path, length in lengths.items() if length > MAX_LINES}
    assert not long, f"split them: a file of hbir/ has at most {MAX_LINES} lines"


@pytest.mark.parametrize(
    "source", [path for path in sources("dialects") if defines_ir(path)], ids=str
)
def test_a_dialect_file_has_filecheck_tests_at_its_path(source: Path) -> None:
    stem = source.parent if source.name == "__init__.py" else source.with_suffix("")
    assert has_tests(stem), f"hbir/{source} has no test: write tests/filecheck/{stem}.mlir"


@pytest.mark.parametrize("folder", ["passes", "dialects"])
def test_a_filecheck_test_is_of_something(folder: str) -> None:
    orphans = [path for path in filecheck_tests(folder) if not has_source(path.with_suffix(""))]
    assert not orphans, "tests of nothing in hbir/, by their path"


def has_source(stem: Path) -> bool:
    """`conv.mlir` and `conv_invalid.mlir` are of conv.py, and so is everything in a folder conv/.

    Everything in the folder of a pass that is itself a folder is of that pass.
    """
    if any(is_source(stem.with_name(name)) for name in name_prefixes(stem.name)):
        return True
    return is_source(stem.parent) or str(stem.parent) in pass_folders()


def is_source(stem: Path) -> bool:
    """Whether there is a hbir/`stem`.py."""
    return (HBIR / stem).with_suffix(".py").is_file()


def pass_folders() -> set[str]:
    files = (module_file(module) for module in pass_modules().values())
    return {str(file) for file in files if (HBIR / file).is_dir()}


def name_prefixes(name: str) -> list[str]:
    """`conv_3x3_invalid` → itself, `conv_3x3`, `conv`."""
    words = name.split("_")
    return ["_".join(words[:count]) for count in range(len(words), 0, -1)]


def test_a_unit_test_stands_at_the_path_of_what_it_tests() -> None:
    tests = sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))
    astray = [path for path in tests if not is_of_something(path)]
    assert not astray, "unit tests whose path matches no file of hbir/ or tools/"


def is_of_something(test: Path) -> bool:
    """`test_conv.py` is of conv.py or conv/; so is `test_conv_bounds.py`, a part of its tests."""
    if test.name in OF_THE_TREE or str(test.parent) in BY_JUDGE:
        return True
    folders = [HBIR / test.parent, ROOT / test.parent]  # tools/ and the like stand beside hbir/
    return any(
        (folder / f"{stem}.py").is_file() or (folder / stem).is_dir()
        for stem in name_prefixes(test.stem.removeprefix("test_"))
        for folder in folders
    )
