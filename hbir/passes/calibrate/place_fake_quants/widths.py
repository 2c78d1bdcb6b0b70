"""How many bits a set of values of one scale has, and how many each of its readers takes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue, Use

from hbir.passes.constraints.float16 import broken_float16_constraint
from hbir.passes.disjoint_sets import DisjointSets
from hbir.passes.dtypes import FLOAT16_WIDTH, Widths
from hbir.passes.gemm import GemmOp, as_gemm
from hbir.passes.ties import scale_sources

NARROW_BITS, WIDE_BITS = 8, 16
WEIGHTS_OPERAND = 1


@dataclass(frozen=True)
class ReadWidths:
    """What is wanted of widths, by sets of one scale. on_bpu: the ops that compute there."""

    widths: Widths
    scales: DisjointSets[SSAValue]
    on_bpu: Container[Operation]

    def bits(self, sources: Sequence[SSAValue]) -> dict[SSAValue, int]:
        """The bits of each set of one scale, by the value that stands for it: as many as one of its
        readers wants, in the order of the sources."""
        roots = dict.fromkeys(self.scales.find(value) for value in sources)
        return {
            root: max(
                [self.given_bits(root)]
                + [self.read_bits(u.operation, u.index, NARROW_BITS) for u in self._readers(root)]
            )
            for root in roots
        }

    def given_bits(self, root: SSAValue) -> int:
        """The bits that readers get who say nothing."""
        members = self.scales.members(root)
        return max(self.widths.values.get(value, NARROW_BITS) for value in members)

    def _readers(self, root: SSAValue) -> Iterable[Use]:
        """Where ops of the BPU that compute with a set's values read them."""
        for value in self.scales.members(root):
            for use in value.uses:
                if use.operation in self.on_bpu and not self._keeps(use, root):
                    yield use

    def _keeps(self, use: Use, root: SSAValue) -> bool:
        """Whether a reader hands the set's scale on to its result."""
        reader = use.operation
        return bool(scale_sources(reader)) and self.scales.find(reader.results[0]) is root

    def read_bits(self, reader: Operation, operand: int, default: int) -> int:
        """The bits that a reader takes; 8 where it would be float16, which it can't read."""
        bits = self.widths.operands.get((reader, operand), default)
        if bits != FLOAT16_WIDTH or broken_float16_constraint(reader, operand) is None:
            return bits
        return NARROW_BITS

    def narrower_readers(self, root: SSAValue, width: int) -> Iterator[tuple[Use, int]]:
        """The readers of a set of `width` bits that take fewer, and how many."""
        given = self.given_bits(root)
        for use in self._readers(root):
            read = self.read_bits(use.operation, use.index, given)
            if read < width and width > NARROW_BITS:
                yield use, max(read, NARROW_BITS)

    def is_said(self, value: SSAValue) -> bool:
        """Whether somebody chose the width of a value, perhaps where it has been moved to."""
        return any(member in self.widths.values for member in self.scales.members(value))

    def operand_bits(self, op: Operation, operand: int) -> int:
        """The bits that an op itself wants of an operand."""
        return self.widths.operands.get((op, operand), NARROW_BITS)

    def wide_weights(self) -> Iterator[GemmOp]:
        """The convolutions and linear layers whose weights are to have more than 8 bits."""
        for (op, operand), bits in self.widths.operands.items():
            gemm = as_gemm(op)
            if gemm is not None and operand == WEIGHTS_OPERAND and bits > NARROW_BITS:
                yield gemm
