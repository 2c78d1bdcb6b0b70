"""What can be widened, tensor by tensor and weight by weight: `candidates_of`.

Candidates are known by places in the function, which are the same in every copy of a module, and by
names that a quant_config can use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.ir.function import body_of
from hbir.ir.origin import name_of
from hbir.ir.rewriter import Rewrite
from hbir.module import Module
from hbir.passes.calibrate.place_fake_quants import scale_sets
from hbir.passes.dtypes import Widths
from hbir.passes.gemm import as_gemm
from hbir.quantization.dtypes import OUTPUT, node_name, ops_by_node
from hbir.quantization.wishes import ORDINAL

WEIGHTS_OPERAND = 1
WIDE_BITS = 16

Place = tuple[str, int]
"""("argument", its index) or ("op", its index in the body): the same in every clone."""


@dataclass(frozen=True)
class Candidate:
    """What is widened together: tensors of one scale, or the weights of one op."""

    name: str
    places: tuple[Place, ...]
    is_weights: bool
    narrow: tuple[float, float] = (0.0, 0.0)
    """The 8-bit range of tensors."""

    @property
    def key(self) -> str:
        """Of the node's places in a quant_config, the one that is widened."""
        return f"input{WEIGHTS_OPERAND}" if self.is_weights else OUTPUT


def candidates_of(observed: Module, *, asymmetric: bool) -> list[Candidate]:
    """All that a float module with its ranges would quantize to 8 bits, in program order."""
    clone = observed.clone()
    function = clone.functions[0].op
    places = _places(function)
    names = _Names(function)
    rewrite = Rewrite(clone.context)
    found = [
        Candidate(
            names.of(group.sources[0]),
            tuple(places[value] for value in group.sources),
            False,
            group.narrow,
        )
        for group in scale_sets(function, rewrite, asymmetric=asymmetric)
    ]
    for op in body_of(function).ops:
        gemm = as_gemm(op)
        if gemm is not None and rewrite.constant_value(gemm.w) is not None:
            found.append(Candidate(names.of(gemm.output), (places[gemm.output],), True))
    return found


class _Names:
    """How a quant_config names what gives a value: by its node, or by its place among a node's
    ops, `node#0`, where the node became several and this isn't the last."""

    def __init__(self, function: FuncOp) -> None:
        self._ordinals: dict[Operation, str] = {}
        for node, ops in ops_by_node(function).items():
            for index, op in enumerate(ops[:-1]):
                if node_name(op) == node:
                    self._ordinals[op] = f"{node}{ORDINAL}{index}"

    def of(self, value: SSAValue) -> str:
        """The name of the op or input that gives a value."""
        owner = value.owner
        if not isinstance(owner, Operation):
            return name_of(value, "?")
        return self._ordinals.get(owner) or node_name(owner) or name_of(value, "?")


def _places(function: FuncOp) -> dict[SSAValue, Place]:
    block = body_of(function)
    places: dict[SSAValue, Place] = {
        argument: ("argument", index) for index, argument in enumerate(block.args)
    }
    for index, op in enumerate(block.ops):
        places.update(dict.fromkeys(op.results, ("op", index)))
    return places


def widened(chosen: Sequence[Candidate], function: FuncOp, given: Widths, bits: int) -> Widths:
    """`given` and what is chosen, as widths of a copy of the function; what was given stays."""
    block = body_of(function)
    ops = list(block.ops)
    for candidate in chosen:
        for kind, index in candidate.places:
            if candidate.is_weights:
                given.operands.setdefault((ops[index], WEIGHTS_OPERAND), WIDE_BITS)
                continue
            results = ops[index].results if kind == "op" else [block.args[index]]
            for value in results:
                given.values.setdefault(value, bits)
    return given
