"""Place `qnt.const_fake_quant` where values are to become integers, from ranges in attributes.

A value is quantized where an op of the BPU computes or reads it: fusion-group boundaries, never
inside a group. Inputs and results of CPU ops are only quantized for the BPU ops that read them. A
convolution, convtranspose or linear (with or without relu) that feeds only outputs and CPU ops,
directly or in another shape or layout, is not quantized: its 32-bit accumulator goes out as it is.

Ops that keep their operand's scale need no fake-quant of their own; the tensors they tie together
get one range. The default is symmetric int8, zero point 0.

Ranges come as the discardable attribute `observed = [low, high]` (one pair per result) on ops and
`hbir.observed` on arguments, wishes for 16 bits as `input_bits` and `output_bits`
(`hbir/passes/dtypes.py`); this pass uses them up. A tensor has as many bits as one of its readers
wants, and those that take fewer get it requantized. 16 bits are symmetric and hold the extremes,
for they have bits to spare. A tensor that one of them wants as float16 is that, `hbir.fake_cast`,
whose range needn't be known; readers that multiply get integers of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue, Use
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ClipOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.linear import MatmulOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, TransposeOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, functions_of
from hbir.ir.origin import name_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import F32, element_of
from hbir.passes.calibrate.place_fake_quants.ranges import ValueRanges, magnitude, union
from hbir.passes.calibrate.place_fake_quants.widths import NARROW_BITS, WEIGHTS_OPERAND, ReadWidths
from hbir.passes.constraints import broken_constraint
from hbir.passes.disjoint_sets import DisjointSets
from hbir.passes.dtypes import FLOAT16_WIDTH, take_widths
from hbir.passes.fake_quant import (
    FakeQuantOp,
    asymmetric_range,
    copy_fake_quant,
    fake_quant_at,
    fake_quants_of,
    insert_fake_cast,
    insert_fake_quant,
    is_fake_quant,
    quantization_of,
    redirect,
    symmetric_range,
)
from hbir.passes.gemm import widen_weights
from hbir.passes.graph import is_constant
from hbir.passes.groups import group_ending_at, is_inside_group
from hbir.passes.observed import Ranges
from hbir.passes.ties import JOINING_OPS, KEEPING_OPS, REDUCING_OPS, scale_sources

COARSENING_LIMIT = 2.0
"""A concat's operand that is read elsewhere too keeps its own scale when the common one would be
more than this many times coarser: a bit lost there costs more than a requantization here."""


@dataclass(frozen=True)
class PlaceFakeQuantsPass(ModulePass):
    """Insert fake-quants from the `observed` attributes, and remove those.

    With `asymmetric` a range needn't be centred: a tensor that is never negative gets twice as
    many steps, and a zero point that convert folds into biases and pad values.
    """

    name = "place-fake-quants"

    asymmetric: bool = False

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            _Placement(function, rewrite, self.asymmetric).place()


@dataclass(frozen=True)
class ScaleSet:
    """Tensors that get one range, and so one width; `narrow` is the range with 8 bits. Among them
    are results that a constant is joined to (concat), for that is rounded nowhere else."""

    sources: tuple[SSAValue, ...]
    narrow: tuple[float, float]


def scale_sets(function: FuncOp, rewrite: Rewrite, *, asymmetric: bool) -> list[ScaleSet]:
    """What the pass would quantize, in program order; it uses up the attributes and no more."""
    placement = _Placement(function, rewrite, asymmetric)
    ranges, sources = placement.decide()
    by_root: dict[SSAValue, list[SSAValue]] = {}
    for value in sources:
        by_root.setdefault(placement.scales.find(value), []).append(value)
    for op in body_of(function).ops:
        if op in placement.on_bpu and any(map(is_constant, scale_sources(op))):
            by_root.get(placement.scales.find(op.results[0]), []).append(op.results[0])
    return [
        ScaleSet(tuple(values), placement.as_range(ranges, root, NARROW_BITS))
        for root, values in by_root.items()
    ]


@dataclass
class _Placement:
    """What is known about the values of one function."""

    function: FuncOp
    rewrite: Rewrite
    asymmetric: bool
    bpu_ops: list[Operation] = field(init=False)
    on_bpu: set[Operation] = field(init=False)
    value_ranges: ValueRanges = field(init=False)
    widths: ReadWidths = field(init=False)
    connected: DisjointSets[SSAValue] = field(default_factory=DisjointSets[SSAValue])
    """Values that are quantized together or not at all."""
    scales: DisjointSets[SSAValue] = field(default_factory=DisjointSets[SSAValue])
    """Values that get one range."""
    centred: set[SSAValue] = field(default_factory=set[SSAValue])
    """Sets that get no zero point, by the value that stands for each."""

    def __post_init__(self) -> None:
        ops = [op for op in body_of(self.function).ops if op.results]
        self.bpu_ops = [op for op in ops if broken_constraint(op) is None]
        self.on_bpu = set(self.bpu_ops)
        self.value_ranges = ValueRanges.taken_from(self.function, self.on_bpu, self.rewrite)
        self.widths = ReadWidths(take_widths(self.function), self.scales, self.on_bpu)

    def decide(self) -> tuple[Ranges, list[SSAValue]]:
        """The 8-bit range of each set, and the values to quantize."""
        for op in self.bpu_ops:
            for source in scale_sources(op):
                self.connected.join(source, op.results[0])
        ranges = self._tie_scales()
        quantized = self._quantized_sets()
        self.centred = {self.scales.find(op.rhs) for op in self.bpu_ops if isinstance(op, MatmulOp)}
        return ranges, [v for v in self._sources() if self.connected.find(v) in quantized]

    def place(self) -> None:
        """Decide, then insert; nothing is inserted before all is decided."""
        ranges, sources = self.decide()
        bits = self.widths.bits(sources)
        wide_ranges = self._ranges(wide=True) if max(bits.values(), default=0) > NARROW_BITS else {}

        def range_of(root: SSAValue, width: int) -> tuple[float, float]:
            return self.as_range(wide_ranges if width > NARROW_BITS else ranges, root, width)

        narrowed = [
            (use, range_of(root, read), read)
            for root, width in bits.items()
            for use, read in self.widths.narrower_readers(root, width)
        ]
        for value in sources:
            root = self.scales.find(value)
            if bits[root] == FLOAT16_WIDTH:
                insert_fake_cast(self.rewrite, value, self._readers_of_form(value))
                continue
            self._insert(value, range_of(root, bits[root]), bits[root])
        for use, value_range, width in narrowed:
            self._narrow(use, value_range, width)
        for gemm in self.widths.wide_weights():
            widen_weights(gemm, self.rewrite)

    def as_range(self, ranges: Ranges, root: SSAValue, bits: int) -> tuple[float, float]:
        """The range whose integers stand for the one of a set."""
        if self.asymmetric and bits <= NARROW_BITS and root not in self.centred:
            return asymmetric_range(ranges[root], bits)
        return symmetric_range(ranges[root], bits)

    def _sources(self) -> list[SSAValue]:
        """Float values that set a scale, in program order."""
        block = body_of(self.function)
        values: list[SSAValue] = list(block.args)
        for op in block.ops:
            if isinstance(op, ConstantOp) or is_fake_quant(op) or is_inside_group(op):
                continue
            if not (op in self.on_bpu and scale_sources(op)):
                values.extend(op.results)
        return [value for value in values if _needs_fake_quant(value)]

    def _quantized_sets(self) -> set[SSAValue]:
        """The connected sets that hold a value which a BPU op computes or reads as integers."""
        found: set[SSAValue] = set()
        for op in body_of(self.function).ops:
            if op not in self.on_bpu:
                continue
            if isinstance(op, REDUCING_OPS) or not isinstance(op, (*KEEPING_OPS, ConcatOp)):
                found.update(self.connected.find(value) for value in self._activations(op))
                if not is_inside_group(op) and not (
                    self._has_raw_form(op)
                    and self._goes_out(op.results[0])
                    and not self.widths.is_said(op.results[0])
                ):
                    found.add(self.connected.find(op.results[0]))
            elif isinstance(op, ConcatOp) and any(map(self._made_on_bpu, op.operands)):
                found.add(self.connected.find(op.results[0]))
        return found

    def _goes_out(self, value: SSAValue) -> bool:
        """Whether only outputs and CPU ops read the value, perhaps in another shape or layout."""
        for use in value.uses:
            reader = use.operation
            if isinstance(reader, ReshapeOp | TransposeOp):
                if not self._goes_out(reader.output):
                    return False
            elif reader in self.on_bpu:
                return False
        return True

    def _activations(self, op: Operation) -> Iterable[SSAValue]:
        """The operands that are quantized before the op: neither constants nor inside its group."""
        for value in op.operands:
            owner = value.owner
            if isinstance(owner, Operation) and (
                isinstance(owner, ConstantOp) or is_inside_group(owner)
            ):
                continue
            yield value

    def _made_on_bpu(self, value: SSAValue) -> bool:
        """Whether the value comes, perhaps moved, from an op that computes on the BPU."""
        while isinstance(value.owner, KEEPING_OPS):
            value = value.owner.operands[0]
        return isinstance(value.owner, Operation) and value.owner in self.on_bpu

    def _tie_scales(self) -> Ranges:
        """Give one range to what an op ties together, except where that hurts a concat's operand.

        Returns the range of each set, by the value that stands for it.
        """
        concats: list[ConcatOp] = []
        for op in body_of(self.function).ops:
            if isinstance(op, ConcatOp) and op in self.on_bpu:
                concats.append(op)
            elif op in self.on_bpu:
                for source in scale_sources(op):
                    self.scales.join(source, op.results[0])
        ranges = self._ranges()
        for concat in concats:
            widest = max(magnitude(ranges.get(self.scales.find(v))) for v in concat.operands)
            for value in list(concat.operands):
                own = magnitude(ranges.get(self.scales.find(value)))
                hurts = widest > COARSENING_LIMIT * own > 0
                if not (hurts and self._read_elsewhere(value, concat)):
                    self._join_ranges(ranges, value, concat.output)
        return ranges

    def _join_ranges(self, ranges: Ranges, first: SSAValue, second: SSAValue) -> None:
        parts = [ranges.pop(self.scales.find(value), None) for value in (first, second)]
        known = [part for part in parts if part is not None]
        self.scales.join(first, second)
        if known:
            ranges[self.scales.find(first)] = union(known)

    def _read_elsewhere(self, value: SSAValue, concat: ConcatOp) -> bool:
        """Whether an op other than `concat` reads the set of `value` as integers."""
        members = self.scales.members(value)
        readers = {use.operation for member in members for use in member.uses}
        return any(r in self.on_bpu and r is not concat for r in readers if not scale_sources(r))

    def _ranges(self, *, wide: bool = False) -> Ranges:
        """Scale set → the union of the ranges of its sources, constants and pad values.

        wide: for 16 bits.
        """
        found: dict[SSAValue, list[tuple[float, float]]] = {}
        for value in self._range_holders():
            own = self.value_ranges.of(value, wide=wide)
            found.setdefault(self.scales.find(value), []).append(own)
        for op in self.bpu_ops:
            if isinstance(op, PadOp):
                number: float = op.params()["pad_value"]
                found.setdefault(self.scales.find(op.output), []).append((number, number))
        return {root: union(ranges) for root, ranges in found.items()}

    def _range_holders(self) -> list[SSAValue]:
        """The sources, and the constants that an op ties to activations."""
        tied = [
            value
            for op in body_of(self.function).ops
            if op in self.on_bpu
            for value in scale_sources(op)
            if isinstance(value.owner, ConstantOp)
        ]
        return [*self._sources(), *tied]

    def _has_raw_form(self, op: Operation) -> bool:
        """Whether the op ends a group whose accumulator can go out unquantized.

        Not with an upper bound, which would be another integer for each channel; nor with 16 bits
        on either side, whose products may need more than the 32 bits that go out.
        """
        group = group_ending_at(op)
        if group is None or isinstance(group.activation, ClipOp):
            return False
        gemm = group.gemm
        x_bits = self.widths.given_bits(self.scales.find(gemm.x))
        read = [
            self.widths.read_bits(gemm, 0, x_bits),
            self.widths.operand_bits(gemm, WEIGHTS_OPERAND),
        ]
        return max(read) <= NARROW_BITS

    def _insert(self, value: SSAValue, value_range: tuple[float, float], bits: int) -> None:
        if not self.value_ranges.is_known(value):
            raise HbirError(
                f'tensor "{name_of(value, "?")}" is to be quantized but has no observed range;'
                " run calibrate with at least one batch"
            )
        low, high = value_range
        readers = self._readers_of_form(value)
        insert_fake_quant(self.rewrite, value, readers, minimum=low, maximum=high, bits=bits)

    def _readers_of_form(self, value: SSAValue) -> list[Use]:
        """The readers that get a value in its form on the machine."""
        readers = list(value.uses)
        if isinstance(value.owner, Block) or value.owner not in self.on_bpu:
            # From outside the BPU: other readers keep the float.
            readers = [use for use in readers if use.operation in self.on_bpu]
        return readers

    def _narrow(self, use: Use, value_range: tuple[float, float], bits: int) -> None:
        """Requantize what a reader gets to fewer bits, once for all readers of that value."""
        value = use.operation.operands[use.index]
        if isinstance(value.owner, Block | ConstantOp):
            return
        if not is_fake_quant(value.owner):
            source = next(self._fake_quants_above(value), None)
            if source is None:
                return
            value = copy_fake_quant(self.rewrite, value, [use], source)
        existing = {quantization_of(op): op.output for op in fake_quants_of(value)}
        shared = [
            output for how, output in existing.items() if how is not None and how.bits == bits
        ]
        if shared:
            redirect([use], shared[0])
            return
        low, high = value_range
        insert_fake_quant(self.rewrite, value, [use], minimum=low, maximum=high, bits=bits)

    def _fake_quants_above(self, value: SSAValue) -> Iterator[FakeQuantOp]:
        """The fake-quant of what a value is moved from."""
        while isinstance(value.owner, KEEPING_OPS + JOINING_OPS):
            value = scale_sources(value.owner)[0]
            fake_quant = fake_quant_at(value)
            if fake_quant is not None:
                yield fake_quant
                return


def _needs_fake_quant(value: SSAValue) -> bool:
    """A float value that nothing has quantized yet."""
    if element_of(value) != F32 or value.first_use is None:
        return False
    return not any(is_fake_quant(use.operation) for use in value.uses)
