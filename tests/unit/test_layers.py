"""docs/architecture.md shows the layers that import-linter checks, and no others."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def contract(id_: str) -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["id"] == id_)


def checked_layers() -> list[tuple[str, bool]]:
    """Names of a layer, and whether they don't know one another; brackets mark optional ones.

    import-linter writes `a : b` for neighbours that may import each other, `a | b` for those that
    may not.
    """
    return [
        (" ".join(sorted(re.findall(r"\w+", layer))), "|" in layer)
        for layer in contract("layers")["layers"]
    ]


def drawn_layers() -> list[tuple[str, bool]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## Layers", 1)[1].split("\n## ", 1)[0]
    first_cells = re.findall(r"^\| ((?:[^|\\]|\\\|)*?) \|", section, re.MULTILINE)
    cells = [cell for cell in first_cells if "`" in cell]
    return [(" ".join(sorted(re.findall(r"`(\w+)`", cell))), r"\|" in cell) for cell in cells]


def test_the_picture_is_the_contract() -> None:
    assert drawn_layers() == checked_layers()


def test_every_part_of_hbir_stands_in_a_layer() -> None:
    parts = {path.stem for path in (ROOT / "hbir").iterdir() if path.stem.isidentifier()}
    layered = {name for names, _ in checked_layers() for name in names.split()}
    assert parts - {"__init__", "__pycache__", "py"} <= layered
