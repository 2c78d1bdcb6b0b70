"""docs/supported-operators.md, from what was recorded and from the constraints' docstrings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from xdsl.ir import Operation

from hbir.frontends.torch.cpu import cpu_functions
from hbir.passes.constraints import Constraint, constraints_by_op, cure_of, rule_of
from hbir.passes.constraints.common import constraint_float_data
from tools.operators.record import FLOAT16, MARCHES, TYPES, Row, marches_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECORD = DOCS / "supported-operators.json"
PAGE = DOCS / "supported-operators.md"

Record: TypeAlias = dict[str, Any]
"""`types`: of the columns; `onnx`, `torch`: operator → row; `onnx_cpu`: operators without a row."""


_INTRODUCTION = (
    "What becomes of each operator of a source model. Every row is a case that the tests run: the",
    "operator in the middle of a network, in the form in which networks have it. A cell says with",
    "which types the march's BPU computes it, with results close to float; `CPU` that its CPU",
    "computes the operator or a part of it; — that nothing is left to compute. In another form an",
    "operator may break a constraint; then it runs on the CPU, with the constraint as its reason.",
    "`hb_compile -m model.onnx --march MARCH` prints both for your model, with the cure; in",
    "Python `hbir.ptq.placement.placements(module, march)` gives them.",
    "",
    "Tensors must hold float32, from which they are quantized, on every row. With f16 the results",
    "of an operator are float16; inputs of convolutions, linear layers and matmuls stay integers.",
    "Engines are those of nash-e with integers.",
)


def read_record() -> Record:
    """What the last run of the cases said."""
    return json.loads(RECORD.read_text())


def record_text(record: Record) -> str:
    """The record as the file holds it: an operator a line."""
    parts = [f'"types": {json.dumps(record["types"])}']
    parts.append(f'"onnx_cpu": {json.dumps(record["onnx_cpu"])}')
    for frontend in ("onnx", "torch"):
        rows = ",\n".join(
            f"    {json.dumps(operator)}: {json.dumps(row, ensure_ascii=False)}"
            for operator, row in record[frontend].items()
        )
        parts.append(f'"{frontend}": {{\n{rows}\n  }}')
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def render(record: Record) -> str:
    """The page."""
    groups = _march_groups(record)
    lines = [
        "# Supported operators",
        "",
        "<!-- Written by `python -m tools.operators` from docs/supported-operators.json, which it"
        " records by running",
        "     tools/operators/*_cases.py, and from the constraints' docstrings. -->",
        "",
        *_INTRODUCTION,
        "",
    ]
    lines += ["## From ONNX", "", *_table(record["onnx"], record, groups), ""]
    lines += [
        "On the CPU whatever their form, by ONNX's reference implementation:",
        "",
        ", ".join(f"`{name}`" for name in record["onnx_cpu"]),
        "",
        "Any other operator is refused by name when the model is read, unless it is registered as a"
        " [custom op](user-guide.md#custom-operators).",
        "",
    ]
    lines += ["## From PyTorch", "", *_table(record["torch"], record, groups), ""]
    other = dict.fromkeys(name.partition(".")[0] for name in cpu_functions())
    names = [name for name in other if name not in record["torch"]]
    lines += [
        "torch decomposes other operators into these as far as it can. On the CPU:",
        "",
        ", ".join(f"`{name}`" for name in names),
        "",
    ]
    lines += ["## Constraints", "", *_constraint_table(), ""]
    return "\n".join(lines)


def _march_groups(record: Record) -> list[tuple[str, ...]]:
    """Marches that say the same in every row share a column."""
    columns: dict[tuple[Any, ...], list[str]] = {}
    rows = [*record["onnx"].values(), *record["torch"].values()]
    for march in MARCHES:
        column = tuple(_cell(row, record["types"], march) for row in rows)
        columns.setdefault(column, []).append(march)
    return [tuple(marches) for marches in columns.values()]


def _cell(row: Row, types: Mapping[str, Sequence[str]], march: str) -> str:
    if not row.get("becomes") and not row.get("cpu"):
        return "—"
    cpu: Mapping[str, Sequence[str]] = row.get("cpu", {})
    found = [
        element
        for element, marches in types.items()
        if march in marches and march not in cpu.get(element, ())
        if element != FLOAT16 or not row.get("integers")
    ]
    return " ".join(found) or "CPU"


def _table(
    rows: Mapping[str, Row], record: Record, groups: Sequence[Sequence[str]]
) -> Iterator[str]:
    heads = [
        "operator",
        *(", ".join(group) for group in groups),
        "engines",
        "becomes",
        "constraints",
    ]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for operator, row in rows.items():
        cells = [_cell(row, record["types"], group[0]) for group in groups]
        becomes = ", ".join(f"`{name.partition('.')[2]}`" for name in row.get("becomes", ()))
        rules = [row["reason"]] if "reason" in row else []
        rules += [f"[{number}](#constraints)" for number in _constraints_of(row)]
        engines = ", ".join(row.get("engines", ()))
        columns = [f"`{operator}`", *cells, engines, becomes, "; ".join(rules)]
        yield f"| {' | '.join(columns)} |"


def _constraints_of(row: Row) -> list[int]:
    """The numbers of the constraints on what an operator becomes."""
    ops = set(row.get("becomes", ()))
    table = _numbered_constraints()
    return [n for n, (_, kinds) in enumerate(table, 1) if ops & {kind.name for kind in kinds}]


def _numbered_constraints() -> list[tuple[Constraint, list[type[Operation]]]]:
    """Every constraint but the one on float data, with its ops, in the order of the table."""
    found: dict[Constraint, list[type[Operation]]] = {}
    for kind, constraints in sorted(constraints_by_op().items(), key=lambda entry: entry[0].name):
        for constraint in constraints:
            if constraint is not constraint_float_data:
                found.setdefault(constraint, []).append(kind)
    return list(found.items())


def _constraint_table() -> Iterator[str]:
    yield "| | on | rule | cure |"
    yield "| --- | --- | --- | --- |"
    for number, (constraint, kinds) in enumerate(_numbered_constraints(), 1):
        names = ", ".join(f"`{kind.name.partition('.')[2]}`" for kind in kinds)
        yield f"| {number} | {names} | {rule_of(constraint)} | {cure_of(constraint)} |"


def marches_of_types() -> dict[str, list[str]]:
    """The marches that compute with each type."""
    return {element: marches_of(element) for element in TYPES}
