"""What an op must fulfil to run on the BPU, one file per op family.

A constraint is a small function whose docstring is what users read: the rule, and after an empty
line how to live with it, the cure. It returns None when the op fulfils it, else what the op has
instead. A family file lists the constraints of each of its ops in `CONSTRAINTS`; an op in no list
has no BPU form. Calibration asks which ops will want quantized operands, `place-ops` decides and
writes the reason.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from xdsl.ir import Operation

from hbir.passes.wanted_places import kept_on_cpu

Constraint: TypeAlias = Callable[[Any], str | None]
ConstraintTable: TypeAlias = Mapping[type[Operation], tuple[Constraint, ...]]


@lru_cache(maxsize=1)
def constraints_by_op() -> dict[type[Operation], tuple[Constraint, ...]]:
    """Every op that has a BPU form, and the constraints on it, in the order they are checked."""
    table: dict[type[Operation], tuple[Constraint, ...]] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        family: ConstraintTable = importlib.import_module(f"{__name__}.{info.name}").CONSTRAINTS
        table.update(family)
    return table


def rule_of(constraint: Callable[..., str | None]) -> str:
    """The constraint as users read it: its docstring's first paragraph on one line."""
    return " ".join(_paragraphs(constraint)[0].split()).rstrip(".")


def cure_of(constraint: Callable[..., str | None]) -> str:
    """What users can do about it: its docstring's second paragraph on one line."""
    return " ".join("".join(_paragraphs(constraint)[1:2]).split()).rstrip(".")


def _paragraphs(constraint: Callable[..., str | None]) -> list[str]:
    return inspect.cleandoc(constraint.__doc__ or constraint.__name__).split("\n\n")


def broken_constraint(op: Operation) -> str | None:
    """Why the op can't or, by its user's word, mustn't run on the BPU; None when it can.

    Scales play no part.
    """
    kept = kept_on_cpu([op])
    if kept is not None:
        return kept
    constraints = constraints_by_op().get(type(op))
    if constraints is None:
        return f"{op.name} has no BPU form"
    for constraint in constraints:
        found = constraint(op)
        if found is not None:
            return f"{rule_of(constraint)}; {found}"
    return None
