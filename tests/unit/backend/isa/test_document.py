"""docs/isa.md is what the field table says."""

from pathlib import Path

from hbir.backend.isa.document import document
from hbir.backend.isa.table import INSTRUCTIONS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "isa.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), (
        "run: python -m hbir.backend.isa.document > docs/isa.md"
    )


def test_every_instruction_and_parameter_is_documented() -> None:
    page = document()
    for row in INSTRUCTIONS:
        assert row.doc
        assert f"### {row.mnemonic} ({row.number})" in page
        assert all(f"| {parameter.name} |" in page for parameter in row.parameters)
