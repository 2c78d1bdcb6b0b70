"""A module to bytecode: chunks to be written one after the other, large data not copied.

Version 4 is written, with inherent attributes (xDSL's properties) in the attribute dictionary:
mlir-opt loses the properties of ops it doesn't know when it writes that version itself, and native
properties, which later versions have, depend on the release of LLVM that reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import UnknownLoc, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.traits import IsolatedFromAbove

from hbir.bytecode.attribute_writer import AttributeWriter
from hbir.bytecode.codes import BUILTIN
from hbir.bytecode.encoding import (
    MAGIC,
    PADDING,
    SECTION_ALIGNED,
    WRITTEN_VERSION,
    Buffer,
    OpPart,
    Section,
    varint,
)
from hbir.bytecode.errors import BytecodeWriteError

BLOB_ALIGNMENT = 16
"""Bytes to which resources are aligned in the file, so that they can be used where they are. LLVM
keeps the files it reads aligned so far, and its reader refuses what needs more."""

_BLOB_KIND = 0

Blobs = Callable[[str], Buffer | None]
"""Resource handle → its bytes; None declares the handle without any."""


def write_bytecode(
    op: Operation,
    blobs: Blobs | None = None,
    *,
    producer: str = "xDSL",
) -> list[Buffer]:
    """The bytecode of `op` as chunks: joined, or written one after the other, they are the file.

    `blobs` gives the bytes of the builtin resources that `op` refers to. The same module gives the
    same bytes. Raises BytecodeWriteError for what MLIR has no form for, such as operands that are
    not defined inside `op`.
    """
    writer = _ModuleWriter()
    try:
        ir = writer.ir_section(op)
    except RecursionError:
        raise BytecodeWriteError("nested too deeply to be written") from None
    return writer.file(ir, blobs or _no_blobs, producer)


def _no_blobs(handle: str) -> None:
    return None


@dataclass
class _Scope:
    """Value numbers inside one op that is isolated from above."""

    numbers: dict[SSAValue, int]
    next: int = 0


class _ModuleWriter:
    def __init__(self) -> None:
        self._table = AttributeWriter()
        self._op_names: dict[str, int] = {}
        self._unknown = UnknownLoc()

    # ---- IR -------------------------------------------------------------------------------------

    def ir_section(self, op: Operation) -> bytearray:
        out = bytearray(varint(1 << 1))  # one op, no block arguments
        scope = _Scope({})
        self._number(op.results, scope)
        self._op(op, scope, {}, out)
        return out

    def _op(
        self,
        op: Operation,
        scope: _Scope,
        blocks: Mapping[Block, int],
        out: bytearray,
    ) -> None:
        name, attributes = _name_and_attributes(op)
        out += varint(self._op_names.setdefault(name, len(self._op_names)))
        mask_at = len(out)
        out.append(0)
        out += varint(self._table.location(op.location))
        mask = 0
        if attributes:
            mask |= OpPart.ATTRIBUTES
            out += varint(self._table.dictionary(attributes))
        if op.results:
            mask |= OpPart.RESULTS
            out += varint(len(op.results))
            for result in op.results:
                out += varint(self._table.type(result.type))
        if op.operands:
            mask |= OpPart.OPERANDS
            out += varint(len(op.operands))
            for index, operand in enumerate(op.operands):
                out += varint(_value_number(operand, scope, name, index))
        if op.successors:
            mask |= OpPart.SUCCESSORS
            out += varint(len(op.successors))
            for successor in op.successors:
                out += varint(_block_number(successor, blocks, name))
        if op.regions:
            mask |= OpPart.REGIONS
            self._regions(op, scope, out)
        out[mask_at] = mask

    def _regions(self, op: Operation, scope: _Scope, out: bytearray) -> None:
        isolated = op.has_trait(IsolatedFromAbove, value_if_unregistered=False)
        out += varint(len(op.regions) << 1 | isolated)
        if not isolated:
            for region in op.regions:
                self._region(region, scope, out)
            return
        for_section = bytearray()
        inner = _Scope({})
        for region in op.regions:
            self._region(region, inner, for_section)
        out += bytes((Section.IR,)) + varint(len(for_section)) + for_section

    def _region(self, region: Region, scope: _Scope, out: bytearray) -> None:
        blocks = {block: index for index, block in enumerate(region.blocks)}
        out += varint(len(blocks))
        if not blocks:
            return
        first = scope.next
        counts: list[int] = []
        for block in blocks:
            self._number(block.args, scope)
            counts.append(0)
            for op in block.ops:
                self._number(op.results, scope)
                counts[-1] += 1
        out += varint(scope.next - first)
        for block, count in zip(blocks, counts, strict=True):
            out += varint(count << 1 | bool(block.args))
            if block.args:
                self._arguments(block, out)
            for op in block.ops:
                self._op(op, scope, blocks, out)
        scope.next = first  # the numbers are free for the next region, which can't see these values

    def _arguments(self, block: Block, out: bytearray) -> None:
        out += varint(len(block.args))
        for argument in block.args:
            located = argument.location != self._unknown
            out += varint(self._table.type(argument.type) << 1 | located)
            if located:
                out += varint(self._table.location(argument.location))
        out.append(0)  # no use-list orders

    @staticmethod
    def _number(values: Iterable[SSAValue], scope: _Scope) -> None:
        for value in values:
            scope.numbers[value] = scope.next
            scope.next += 1

    # ---- the file -------------------------------------------------------------------------------

    def file(self, ir: bytearray, blobs: Blobs, producer: str) -> list[Buffer]:
        dialects = self._dialect_section()
        handles = list(self._table.resources)
        keys = [self._table.strings.add(handle) for handle in handles]
        offsets, attributes = self._table.sections()

        out = _Chunks()
        out.add(MAGIC + varint(WRITTEN_VERSION) + producer.encode() + b"\0")
        out.section(Section.DIALECT, [dialects])
        out.section(Section.ATTRIBUTE_OFFSET, offsets)
        out.section(Section.ATTRIBUTE, attributes)
        out.section(Section.IR, [bytes(ir)])
        if handles:
            data, sizes = _resources([blobs(handle) for handle in handles])
            entries = zip(keys, sizes, strict=True)
            infos = [varint(key) + varint(size) + bytes((_BLOB_KIND,)) for key, size in entries]
            dialect = varint(self._table.dialect(BUILTIN))
            table = varint(0) + dialect + varint(len(handles)) + b"".join(infos)
            out.section(Section.RESOURCE_OFFSET, [table])
            out.section(Section.RESOURCE, data, alignment=BLOB_ALIGNMENT)
        out.section(Section.STRING, [self._table.strings.section()])
        return out.chunks

    def _dialect_section(self) -> bytes:
        strings = self._table.strings
        groups: list[bytes] = []
        runs: list[tuple[int, list[int]]] = []  # op names stay in their order: their index counts
        for name in self._op_names:
            dialect, _, rest = name.partition(".")
            number = self._table.dialect(dialect)
            if not runs or runs[-1][0] != number:
                runs.append((number, []))
            runs[-1][1].append(strings.add(rest))
        for number, names in runs:
            groups.append(varint(number) + varint(len(names)) + b"".join(map(varint, names)))
        dialects = [varint(strings.add(name) << 1) for name in self._table.dialects]
        counts = varint(len(dialects)), varint(len(self._op_names))
        return counts[0] + b"".join(dialects) + counts[1] + b"".join(groups)


def _name_and_attributes(op: Operation) -> tuple[str, Mapping[str, Attribute]]:
    """What the file calls an op, and its properties and attributes in one dictionary.

    Properties come first, in the order of the op's definition, which is how they are read.
    """
    name, attributes = op.name, op.attributes
    if isinstance(op, UnregisteredOp):
        name = op.op_name.data
        attributes = {key: value for key, value in attributes.items() if key != "op_name__"}
    properties = op.properties
    if not properties:
        return name, attributes
    both = properties.keys() & attributes.keys()
    if both:
        raise BytecodeWriteError(f"{name}: {min(both)!r} is both a property and an attribute")
    if isinstance(op, IRDLOperation) and len(properties) > 1:
        defined = op.get_irdl_definition().properties
        properties = {key: properties[key] for key in defined if key in properties} | properties
    return name, {**properties, **attributes}


def _value_number(value: SSAValue, scope: _Scope, name: str, index: int) -> int:
    number = scope.numbers.get(value)
    if number is None:
        raise BytecodeWriteError(f"{name}: operand {index} is not defined where it can be seen")
    return number


def _block_number(block: Block, blocks: Mapping[Block, int], name: str) -> int:
    number = blocks.get(block)
    if number is None:
        raise BytecodeWriteError(f"{name}: a successor is not a block of the op's own region")
    return number


def _resources(blobs: list[Buffer | None]) -> tuple[list[Buffer], list[int]]:
    """The chunks of the resource section, which is aligned itself, and its entries' sizes."""
    chunks: list[Buffer] = []
    sizes: list[int] = []
    position = 0
    for blob in blobs:
        if blob is None:
            sizes.append(0)
            continue
        view = memoryview(blob).cast("B")
        header = varint(BLOB_ALIGNMENT) + varint(view.nbytes)
        header += PADDING * (-(position + len(header)) % BLOB_ALIGNMENT)
        chunks += (header, view)
        sizes.append(len(header) + view.nbytes)
        position += sizes[-1]
    return chunks, sizes


class _Chunks:
    """A file as chunks, and how many bytes they are so far."""

    def __init__(self) -> None:
        self.chunks: list[Buffer] = []
        self._size = 0

    def add(self, chunk: Buffer) -> None:
        self.chunks.append(chunk)
        self._size += len(chunk)

    def section(self, section: Section, data: list[Buffer], alignment: int = 1) -> None:
        """A section; with an alignment its data starts at a multiple of it in the file."""
        size = varint(sum(map(len, data)))
        if alignment == 1:
            self.add(bytes((section,)) + size)
        else:
            self.add(bytes((section | SECTION_ALIGNED,)) + size + varint(alignment))
            self.add(PADDING * (-self._size % alignment))
        for chunk in data:
            self.add(chunk)
