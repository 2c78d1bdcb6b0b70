"""The page of supported operators says what the cases say when they run again."""

from typing import Any

import pytest

from hbir.frontends.onnx.registry import import_functions as onnx_functions
from hbir.frontends.torch.registry import import_functions as torch_functions
from tools.operators import onnx_cases, torch_cases
from tools.operators.page import PAGE, RECORD, read_record, record_text, render
from tools.operators.record import Row, Subject, onnx_subjects, record, torch_subjects

REPLAYED = ("nash-e", "nash-b")
"""A march with every engine, and one without some, but with float16; the others place alike."""


def test_every_operator_has_a_case() -> None:
    assert set(onnx_functions()) == {*onnx_cases.CASES, *onnx_cases.NOT_CASES}
    assert {name.partition(".")[0] for name in torch_functions()} <= set(torch_cases.CASES)


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == render(read_record()), "run python -m tools.operators --page"
    assert RECORD.read_text() == record_text(read_record())


def test_marches_that_differ_stand_in_columns_of_their_own() -> None:
    heads = [line for line in PAGE.read_text().splitlines() if line.startswith("| operator")]
    assert len(heads) == 2  # of ONNX and of PyTorch
    for head in heads:
        (column,) = [cell for cell in head.split("|") if "nash-e" in cell]
        assert "nash-b" not in column


@pytest.mark.parametrize("opset", onnx_cases.opsets())
def test_onnx_cases_become_what_is_recorded(opset: int) -> None:
    (subject,) = [s for s in onnx_subjects() if set(s.operators) == operators_of(opset)]
    check([subject], read_record()["onnx"])


def test_torch_cases_become_what_is_recorded() -> None:
    check(torch_subjects(), read_record()["torch"])


def operators_of(opset: int) -> set[str]:
    return {name for name, entry in onnx_cases.CASES.items() if entry.opset == opset}


def check(subjects: list[Subject], recorded: dict[str, Row]) -> None:
    found = record(subjects, REPLAYED)
    expected = {operator: on_replayed(recorded[operator]) for operator in found}
    assert found == expected, "run python -m tools.operators if that is meant"


def on_replayed(row: Row) -> dict[str, Any]:
    cpu = {
        element: [march for march in marches if march in REPLAYED]
        for element, marches in row.get("cpu", {}).items()
    }
    cpu = {element: marches for element, marches in cpu.items() if marches}
    rest = {key: value for key, value in row.items() if key not in ("cpu", "reason")}
    return {**rest, **({"cpu": cpu, "reason": row["reason"]} if cpu else {})}
