"""What a user wants on the BPU or the CPU, by the names of the source model's nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.ir import Operation

from hbir.errors import HbirError
from hbir.ir.origin import Node, origin_of_op


@dataclass(frozen=True)
class WantedPlaces:
    """Names of nodes. An op that several nodes became goes to the CPU if one of them is to."""

    cpu: frozenset[str] = frozenset()
    bpu: frozenset[str] = frozenset()

    def reason(self, ops: Iterable[Operation], reason: str | None) -> str | None:
        """Why ops that go together run on the CPU, wishes included; None for the BPU.

        reason: why they must, or None. Raises HbirError where the BPU is wanted for what can't.
        """
        nodes = {node.name for op in ops for node in _nodes(op)}
        wanted = sorted(nodes & self.cpu)
        if wanted:
            return f'the user wants "{wanted[0]}" on the CPU'
        wanted = sorted(nodes & self.bpu)
        if wanted and reason is not None:
            raise HbirError(
                f'node "{wanted[0]}" is wanted on the BPU, but can\'t run there: {reason}; take it'
                " out of run_on_bpu and node_info, or change the model as the reason says"
            )
        return reason


def _nodes(op: Operation) -> tuple[Node, ...]:
    origin = origin_of_op(op)
    return () if origin is None else origin.nodes
