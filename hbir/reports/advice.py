"""Advice: which unit takes each op of a quantized module, as the published op checker's JSON.

A list of objects with `backend`, `op`, `loc` and `tensor_names`, and for ops that the BPU doesn't
take `choice_reason`; `nodes` is ours: the nodes of the user's model.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xdsl.ir import Operation

from hbir.backend.march import load_march
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import CallOp
from hbir.files import write_file
from hbir.ir.function import body_of
from hbir.ir.origin import nodes_of, origin_of, origin_of_op
from hbir.ir.text import op_text
from hbir.ir.types import element_of
from hbir.module import Module

BPU, VPU, CPU = "bpu", "vpu", "external_cpu"

VECTOR_ENGINES = frozenset({"VPU", "SPU"})


def advice(module: Module) -> list[dict[str, Any]]:
    """An entry per op of a quantized module, in program order."""
    engines = load_march(str(module.march)).opcode_engines
    return [
        _entry(op, _backend(op, engines.get(op.name.partition(".")[2], "")))
        for function in module.functions
        for op in _computing_ops(body_of(function.op).ops)
    ]


def advice_text(module: Module) -> str:
    """The same as the file holds it."""
    return json.dumps(advice(module), indent=1, ensure_ascii=False) + "\n"


def give_advice(module: Module, folder: str | os.PathLike[str] = "") -> None:
    """Write the advice into `<function>_advice.json` of a folder; without one, print it."""
    if not folder:
        sys.stdout.write(advice_text(module))
        return
    write_file(
        Path(folder) / f"{module.functions[0].name}_advice.json", advice_text(module).encode()
    )


def _computing_ops(ops: Any) -> Iterator[Operation]:
    return (op for op in ops if op.results and not isinstance(op, ConstantOp))


def _backend(op: Operation, engine: str) -> str:
    if isinstance(op, CallOp):
        return CPU
    return VPU if engine in VECTOR_ENGINES else BPU


def _entry(op: Operation, backend: str) -> dict[str, Any]:
    origin = origin_of_op(op)
    entry: dict[str, Any] = {"backend": backend}
    if isinstance(op, CallOp):
        entry["choice_reason"] = op.reason.data
    entry["loc"] = f'loc("{origin.tensor}")' if origin is not None else "loc(unknown)"
    entry["op"] = op_text(op)
    entry["nodes"] = [node.name for node in nodes_of(op)]
    entry["tensor_names"] = [
        {"data_type": str(element_of(result)), "tensor_name": _name(result)}
        for result in op.results
    ]
    return entry


def _name(result: Any) -> str:
    origin = origin_of(result)
    return origin.tensor if origin is not None else ""
