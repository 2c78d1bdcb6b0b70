"""What the pages name exists: files, folders, links with their headings, make targets, modules."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = {"hbir", "benchmarks", "tests", "tools", "examples"}

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
MAKE = re.compile(r"(?:`|^    )make ([a-z][a-z0-9-]*)", re.MULTILINE)
MODULE = re.compile(r"python -m ([a-z_]+(?:\.[a-z_0-9]+)*)")
PATH = re.compile(r"`([a-z_]+/[a-z0-9_./-]*)`")
"""In lower case: capitals stand for a name to fill in."""

GENERATED = "build/"
"""What commands leave there isn't in the tree."""


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def missing(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for link, anchor in LINK.findall(text):
        target = page.parent / link if link else page
        if not target.exists():
            yield f"link to {link}"
        elif anchor and anchor not in anchors(target):
            yield f"heading {link}#{anchor}"
    yield from (f"make {name}" for name in MAKE.findall(text) if name not in targets)
    for name in MODULE.findall(text):
        if name.partition(".")[0] in OWN and not is_module(name):
            yield f"module {name}"
    for name in PATH.findall(text):
        if not name.startswith(GENERATED) and not any(
            (folder / name).exists() for folder in (ROOT, ROOT / "hbir")
        ):
            yield f"path {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    assert list(missing(page)) == []
