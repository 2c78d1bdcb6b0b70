"""Where a user wants nodes of the source model to run, as attributes of the ops they became.

Whoever learns of it first writes it down (`WantedPlaces.mark`): quantization before calibration,
as what runs on the CPU stays in float; `place-ops` when only it is told. All that decides reads the
attributes: `broken_constraint` op by op, `place-ops` for those that go together.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from hbir.dialects.hbir.constant import ConstantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of
from hbir.ir.origin import nodes_of
from hbir.passes.groups import group_number

RUN_ON_CPU = "run_on_cpu"
RUN_ON_BPU = "run_on_bpu"
"""Keys of discardable attributes. Their value is the node for whose sake the op is wanted there."""


@dataclass(frozen=True)
class WantedPlaces:
    """Names of nodes. An op that several nodes became goes to the CPU if one of them is to."""

    cpu: AbstractSet[str] = frozenset()
    bpu: AbstractSet[str] = frozenset()

    def mark(self, function: FuncOp) -> None:
        """Write on the ops of a function where they are wanted; fusion groups stay together."""
        for attribute, names in ((RUN_ON_CPU, self.cpu), (RUN_ON_BPU, self.bpu)):
            if names:
                _mark(function, attribute, names)


def kept_on_cpu(ops: Iterable[Operation]) -> str | None:
    """The reason of ops that go together and that the user keeps on the CPU; None for others."""
    node = _wanted(ops, RUN_ON_CPU)
    return None if node is None else f'the user wants "{node}" on the CPU'


def reason_with_wishes(ops: Iterable[Operation], reason: str | None) -> str | None:
    """Why ops that go together run on the CPU, wishes included; None for the BPU.

    reason: why they must, or None. Raises HbirError where the BPU is wanted for what can't.
    """
    members = list(ops)
    kept = kept_on_cpu(members)
    if kept is not None:
        return kept
    node = _wanted(members, RUN_ON_BPU)
    if node is not None and reason is not None:
        raise HbirError(
            f'node "{node}" is wanted on the BPU, but can\'t run there: {reason}; take it out of'
            " run_on_bpu, node_info and quant_config, or change the model as the reason says"
        )
    return reason


def forget_wishes(op: Operation) -> None:
    """Take away what `mark` wrote, once a place is decided."""
    op.attributes.pop(RUN_ON_CPU, None)
    op.attributes.pop(RUN_ON_BPU, None)


def _mark(function: FuncOp, attribute: str, names: AbstractSet[str]) -> None:
    ops = [op for op in body_of(function).ops if not isinstance(op, ConstantOp)]
    wanted: dict[Operation | int, str] = {}
    for op in ops:
        unit = _unit(op)
        for node in nodes_of(op):
            if node.name in names:
                wanted[unit] = min(node.name, wanted.get(unit, node.name))
    for op in ops:
        name = wanted.get(_unit(op))
        if name is not None:
            op.attributes[attribute] = StringAttr(name)


def _unit(op: Operation) -> Operation | int:
    """What runs in one place for sure: the op's fusion group by its number, or the op alone."""
    number = group_number(op)
    return op if number is None else number


def _wanted(ops: Iterable[Operation], attribute: str) -> str | None:
    """The first by name of the nodes for whose sake one of the ops is wanted somewhere."""
    found = [op.attributes.get(attribute) for op in ops]
    return min((name.data for name in found if isinstance(name, StringAttr)), default=None)
