"""Runs the cases and says what became of each operator: `record`.

For every type the cases are calibrated once; then each march places them, and one march computes
them, next to float. What comes out is docs/supported-operators.json, from which the page is
rendered; a test runs the cases again and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

import hbir
from hbir.backend.march import March, load_march
from hbir.dialects.layers import is_layer, layer_of
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.origin import origin_of_op
from hbir.ir.types import F16, Array, element_of
from hbir.module import Module
from hbir.onnx import export
from hbir.ptq.placement import CPU_UNIT, NO_UNIT, placements
from tools.operators import onnx_cases

Row: TypeAlias = dict[str, Any]
"""`becomes`: float ops; `engines` of nash-e; `cpu`: type → marches whose CPU computes it, or a
part; `reason`: why the first of them does; `integers`: it reads and gives integers where float16 is
asked for. What is empty is left out."""

TYPES = {"si8": "int8", "si16": "int16", "f16": "float16"}
"""Element types of the page, and what calibration calls them."""

FLOAT16 = "f16"

MARCHES = tuple(dict.fromkeys(march.value for march in March))
JUDGED_ON = {"si8": "nash-e", "si16": "nash-e", FLOAT16: "nash-p"}
"""Type → the march that computes the cases."""

LEAST_COSINE = {"si8": 0.95, "si16": 0.999, FLOAT16: 0.999}
"""Between a case's outputs on the integer and the float network."""

UNSTEADY = {
    "si8": {
        *("Ceil", "Equal", "Floor", "Mod", "Round", "Sign"),
        *("ceil", "eq", "floor", "fmod", "ne", "remainder", "round", "sign"),
    },
    "si16": {"Equal", "eq"},
    FLOAT16: {"Equal", "eq"},
}
"""Operators that jump: a step of the input moves some results by one. They aren't compared."""

_MOVES = ("hbir.transpose", "hbir.reshape")
_UNSEEN = ("hbir.constant", "qnt.const_fake_quant", "hbir.fake_cast")


@dataclass(frozen=True)
class Subject:
    """A module of cases. owner: source node → its operator; results: operator → its outputs."""

    module: Module
    batches: list[dict[str, Any]]
    operators: tuple[str, ...]
    owner: Callable[[str], str | None]
    results: Callable[[str], Iterable[str]]


def onnx_subjects() -> list[Subject]:
    """The ONNX cases, a module per opset."""
    return [_onnx_subject(opset) for opset in onnx_cases.opsets()]


def _onnx_subject(opset: int) -> Subject:
    operators = tuple(o for o, entry in onnx_cases.CASES.items() if entry.opset == opset)
    model = onnx_cases.model_of(opset)
    outputs = [output.name for output in model.graph.output]
    return Subject(
        export(model),
        [onnx_cases.inputs_of(opset, seed) for seed in (0, 1)],
        operators,
        lambda node: node if node in operators else None,
        lambda operator: [name for name in outputs if name.split("_")[0] == operator],
    )


def torch_subjects() -> list[Subject]:
    """The PyTorch cases."""
    import torch

    import hbir.torch
    from tools.operators import torch_cases

    with torch.no_grad():
        module = hbir.torch.export(torch_cases.Operators().eval(), torch_cases.inputs_of())
    parts = {torch_cases.part_name(operator): operator for operator in torch_cases.CASES}
    batches = [
        {name: tensor.numpy() for name, tensor in torch_cases.inputs_of(seed).items()}
        for seed in (0, 1)
    ]
    return [
        Subject(
            module,
            batches,
            tuple(torch_cases.CASES),
            lambda node: parts.get(node.partition(".")[0]),
            lambda operator: [torch_cases.part_name(operator)],
        )
    ]


def record(
    subjects: Iterable[Subject],
    marches: Iterable[str] = MARCHES,
    types: Mapping[str, str] = TYPES,
) -> dict[str, Row]:
    """What becomes of each operator, by name. Raises HbirError where integers and float part."""
    rows: dict[str, Row] = {}
    for subject in subjects:
        found = {operator: _empty_row() for operator in subject.operators}
        for element, dtype in types.items():
            calibrated = hbir.calibrate(subject.module, subject.batches, dtype=dtype)
            _describe(subject, calibrated, found)
            for march in marches_of(element, marches):
                _place(subject, calibrated, march, element, found)
            _judge(subject, calibrated, element, found)
        rows.update(found)
    return {
        operator: {key: value for key, value in row.items() if value}
        for operator, row in sorted(rows.items())
    }


def marches_of(element: str, marches: Iterable[str] = MARCHES) -> list[str]:
    """Those that compute with a type."""
    return [m for m in marches if element != FLOAT16 or load_march(m).has_float16]


def _empty_row() -> Row:
    return {"becomes": [], "engines": [], "cpu": {}, "reason": "", "integers": False}


def _describe(subject: Subject, calibrated: Module, rows: dict[str, Row]) -> None:
    """The float ops that calibration's optimizing leaves; moves where there is nothing else."""
    found: dict[str, set[str]] = {}
    for function in calibrated.functions:
        for op in function.operations:
            if op.name in _UNSEEN:
                continue
            for operator in _operators_of(subject, op):
                found.setdefault(operator, set()).add(op.name)
    for operator, names in found.items():
        rows[operator]["becomes"] = sorted(names - set(_MOVES) or names)


def _operators_of(subject: Subject, op: Any) -> set[str]:
    origin = origin_of_op(op)
    owners = {subject.owner(node.name) for node in (origin.nodes if origin is not None else ())}
    return {owner for owner in owners if owner is not None}


def _place(
    subject: Subject, calibrated: Module, march: str, element: str, rows: dict[str, Row]
) -> None:
    units: dict[str, set[str]] = {}
    reasons: dict[str, str] = {}
    for placement in placements(calibrated, march):
        operator = subject.owner(placement.node)
        if operator is not None:
            units.setdefault(operator, set()).add(placement.unit)
            if placement.reason:
                reasons.setdefault(operator, placement.reason)
    for operator, row in rows.items():
        where = units.get(operator, {NO_UNIT})
        if not any(CPU_UNIT in unit for unit in where):
            continue
        row["cpu"].setdefault(element, []).append(march)
        row["reason"] = row["reason"] or reasons.get(operator, "")


def _judge(subject: Subject, calibrated: Module, element: str, rows: dict[str, Row]) -> None:
    """Engines and types of what JUDGED_ON computes, and that it is close to float."""
    machine = load_march(JUDGED_ON[element])
    converted = hbir.convert(calibrated, machine.name)
    floats: set[str] = set()
    for function in converted.functions:
        for op in function.operations:
            if not isinstance(op, TensorOp) or not op.name.startswith("bpu."):
                continue
            operators = _operators_of(subject, op)
            if any(element_of(value) == F16 for value in (*op.operands, *op.results)):
                floats |= operators
            if element == FLOAT16 or not is_layer(op):
                continue
            engine = machine.engine_of(layer_of(op).opcode)
            for operator in operators:
                row = rows[operator]
                row["engines"] = sorted({*row["engines"], engine})
    if element == FLOAT16:
        for operator, row in rows.items():
            row["integers"] = operator not in floats and element not in row["cpu"]
    batch = subject.batches[-1]
    wanted = subject.module.functions[0].feed(batch)
    found = converted.functions[0].feed(batch)
    for operator in subject.operators:
        for name in subject.results(operator):
            cosine = _similarity(wanted[name], found[name])
            exact = wanted[name].dtype.kind == "f"  # places are found among integers
            least = LEAST_COSINE[element if exact else "si8"]
            if cosine < least and operator not in UNSTEADY[element]:
                raise HbirError(
                    f"{operator} with {element}: {name} has cosine {cosine:.4f} to float"
                )


def _similarity(x: Array, y: Array) -> float:
    """The cosine; of indices, the share of equal ones."""
    if x.dtype.kind != "f":
        return float(np.mean(np.equal(x, y)))
    a: Array = x.astype(np.float64).ravel()
    b: Array = y.astype(np.float64).ravel()
    return float(a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-12))
