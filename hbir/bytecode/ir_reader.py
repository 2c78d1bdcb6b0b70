"""The IR section: operations, blocks and regions, in one loop made for speed.

Most numbers of an operation take one byte, so the loop reads them from a `bytes` by hand; reading
past the end is an IndexError, turned into a BytecodeError with the operation's offset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, NoneType, UnregisteredOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation

from hbir.bytecode.attribute_reader import AttributeReader
from hbir.bytecode.encoding import SECTION_ALIGNED, Buffer, Cursor, OpPart, Section, Version
from hbir.bytecode.properties import read_native_properties

MAX_REGION_NESTING = 100
"""Operations inside one another; xDSL walks and prints them recursively."""

_FREE_PARTS, _PARTS_PER_BYTE = 1 << 20, 256
"""Attribute parts that the operations of a file may use, shared ones counted each time."""

_RECENT_SPLITS = 256
"""Dictionaries that are kept: many operations share a few, and the others have their own."""

_Split: TypeAlias = tuple[dict[str, Attribute], dict[str, Attribute], int]
"""Properties, attributes, and how many parts they have."""


@dataclass
class OpName:
    """An op name of a file, and what it means here, known when it is first used.

    `registered`: whether the op was known where the file was written; None before version 5.
    """

    name: str
    registered: bool | None
    op_type: type[Operation] | None = None
    property_names: tuple[str, ...] = ()


class _Undefined(SSAValue[Attribute]):
    """Stands for a value until it is defined."""

    defined: SSAValue | None = None

    @property
    @override
    def owner(self) -> Operation | Block:
        raise ValueError("a value that is not defined yet has no owner")


@dataclass
class _Scope:
    """The values that an op isolated from above holds, by number; None: not met yet."""

    values: list[SSAValue | None] = field(default_factory=list[SSAValue | None])


@dataclass
class _RegionState:
    blocks: list[Block]
    next_value: int
    end_value: int


class IrReader:
    """Reads the IR section, given everything that it refers to."""

    def __init__(
        self,
        version: int,
        op_names: Sequence[OpName],
        attributes: AttributeReader,
        properties: Sequence[tuple[int, Buffer]],
        ctx: Context,
    ) -> None:
        self._version = version
        self._op_names = op_names
        self._attributes = attributes
        self._properties = properties
        self._ctx = ctx
        self._data = b""
        self._cursor = Cursor(b"", "IR section")
        self._values_left = 0
        self._parts_left = 0
        self._waiting: list[Operation] = []
        self._unknown_type = NoneType()
        self._on_top_level: Callable[[Operation], None] | None = None
        self._splits: dict[tuple[int, int], _Split] = {}

    def module(
        self, section: Cursor, on_top_level: Callable[[Operation], None] | None = None
    ) -> ModuleOp:
        """The module of the section, which `section` is over."""
        self._on_top_level = on_top_level
        start = section.base + section.pos
        self._data = bytes(section.bytes(section.left, "IR"))
        self._cursor = Cursor(self._data, section.section, base=start)
        self._values_left = len(self._data)
        self._parts_left = _FREE_PARTS + _PARTS_PER_BYTE * len(self._data)
        block = Block()
        try:
            self._top_level(block)
            for op in self._waiting:
                op.operands = [self._definition(operand) for operand in op.operands]
        except IndexError:
            raise self._cursor.error("ends in the middle of an operation") from None
        return _as_module(block)

    # ---- regions and blocks ---------------------------------------------------------------------

    def _top_level(self, block: Block) -> None:
        """The top level has no header that counts values; ops there are not used by others."""
        cursor = self._cursor
        header = cursor.varint()
        if header & 1:
            raise cursor.error("block arguments at the top level")
        scope = _Scope()
        state = _RegionState([], 0, 0)
        self._ops(block, header >> 1, scope, state, 0)
        cursor.expect_end("the last operation")

    def _region(self, region: Region, scope: _Scope, depth: int) -> None:
        cursor = self._cursor
        if depth > MAX_REGION_NESTING:
            raise cursor.error(f"operations nested deeper than {MAX_REGION_NESTING}")
        count = cursor.count("blocks")
        if not count:
            return
        first = len(scope.values)
        defined = cursor.varint()
        self._values_left -= defined
        if self._values_left < 0:  # each takes a byte at least
            raise cursor.error(f"a region of {defined} values, more than can follow")
        scope.values.extend([None] * defined)
        blocks = [Block() for _ in range(count)]
        for block in blocks:
            region.add_block(block)
        state = _RegionState(blocks, first, first + defined)
        for block in blocks:
            header = cursor.varint()
            if header & 1:
                self._arguments(block, scope, state)
            self._ops(block, header >> 1, scope, state, depth)
        if state.next_value != state.end_value:
            missing = state.end_value - state.next_value
            raise cursor.error(f"{missing} of a region's {defined} values are not defined")
        del scope.values[first:]

    def _arguments(self, block: Block, scope: _Scope, state: _RegionState) -> None:
        cursor = self._cursor
        count = cursor.count("block arguments")
        elided = self._version >= Version.ELIDED_ARGUMENT_LOCATIONS
        arguments: list[BlockArgument] = []
        for index in range(count):
            number, located = cursor.varint(), True
            if elided:
                number, located = number >> 1, bool(number & 1)
            type_ = self._attributes.type(number, cursor)
            self._spend(self._attributes.type_parts(number))
            argument = BlockArgument(type_, block, index)
            if located:
                argument.location = self._location(cursor.varint())
            arguments.append(argument)
        block._args = tuple(arguments)  # pyright: ignore[reportPrivateUsage] - insert_arg copies the arguments before for each
        self._define(arguments, scope, state)
        if self._version >= Version.USE_LIST_ORDERS and cursor.byte():
            cursor.pos = self._skip_use_lists(cursor.pos, count)

    def _location(self, number: int) -> Any:
        location = self._attributes.location(number, self._cursor)
        self._spend(self._attributes.attribute_parts(number))
        return location

    def _spend(self, parts: int) -> None:
        self._parts_left -= parts
        if self._parts_left < 0:
            raise self._cursor.error("operations use more attribute parts than a file of its size")

    def _define(
        self,
        values: Sequence[SSAValue],
        scope: _Scope,
        state: _RegionState,
        *,
        top_level: bool = False,
    ) -> None:
        if top_level:  # no region says how many there are
            scope.values += values
            return
        number = state.next_value
        if number + len(values) > state.end_value:
            raise self._cursor.error("more values are defined than the region says")
        known = scope.values
        for value in values:
            before = known[number]
            if before is not None:
                cast(_Undefined, before).defined = value
            known[number] = value
            number += 1
        state.next_value = number

    def _definition(self, operand: SSAValue) -> SSAValue:
        if not isinstance(operand, _Undefined):
            return operand
        if operand.defined is None:
            raise self._cursor.error("an operand is never defined")
        return operand.defined

    # ---- operations -----------------------------------------------------------------------------

    def _ops(
        self, block: Block, count: int, scope: _Scope, state: _RegionState, depth: int
    ) -> None:
        cursor = self._cursor
        for _ in range(count):
            op, has_regions = self._op(cursor.pos, scope, state, depth)
            block.add_op(op)
            if depth == 0 and self._on_top_level is not None:
                self._on_top_level(op)
            if has_regions:
                self._regions(op, scope, depth)

    def _op(
        self, pos: int, scope: _Scope, state: _RegionState, depth: int
    ) -> tuple[Operation, bool]:
        """The operation at `pos` without its regions, and whether they follow."""
        data, cursor, attributes = self._data, self._cursor, self._attributes
        number, pos = _varint(data, pos)
        if number >= len(self._op_names):
            raise cursor.error(f"op name {number} of {len(self._op_names)}")
        op_name = self._op_names[number]
        op_type = op_name.op_type or self._resolve(op_name)
        mask = data[pos]
        location_number, pos = _varint(data, pos + 1)
        location: Any = attributes.location(location_number, cursor)
        self._spend(attributes.attribute_parts(location_number))
        properties: Mapping[str, Attribute] = {}
        entries: Mapping[str, Attribute] = {}
        result_types: Sequence[Attribute] = ()
        operands: Sequence[SSAValue] = ()
        successors: Sequence[Block] = ()
        if mask & OpPart.ATTRIBUTES:
            dictionary, pos = _varint(data, pos)
            properties, entries, _ = self._split(number, dictionary)
        if mask & OpPart.PROPERTIES:
            index, pos = _varint(data, pos)
            properties, entries = self._native_properties(op_name, index, entries)
        if mask & OpPart.RESULTS:
            result_types, pos = self._result_types(pos)
        if mask & OpPart.OPERANDS:
            operands, pos = self._operands(pos, scope)
        if mask & OpPart.SUCCESSORS:
            successors, pos = self._successors(pos, state)
        if mask & OpPart.USE_LISTS and self._version >= Version.USE_LIST_ORDERS:
            pos = self._skip_use_lists(pos, len(result_types))
        try:
            op = op_type.create(
                operands=operands,
                result_types=result_types,
                properties=properties,
                attributes=entries,
                location=location,
                successors=successors,
            )
        except Exception as error:  # an op's class may check more, and raise what it likes
            raise cursor.error(f"op {op_name.name}: {error}") from error
        if _Undefined in map(type, operands):
            self._waiting.append(op)
        if result_types:
            self._define(op.results, scope, state, top_level=depth == 0)
        cursor.pos = pos
        return op, bool(mask & OpPart.REGIONS)

    def _result_types(self, pos: int) -> tuple[Sequence[Attribute], int]:
        data, attributes, cursor = self._data, self._attributes, self._cursor
        types: list[Attribute] = []
        count, pos = _varint(data, pos)
        for _ in range(count):
            number, pos = _varint(data, pos)
            types.append(attributes.type(number, cursor))
            self._spend(attributes.type_parts(number))
        return types, pos

    def _operands(self, pos: int, scope: _Scope) -> tuple[Sequence[SSAValue], int]:
        data, values = self._data, scope.values
        operands: list[SSAValue] = []
        count, pos = _varint(data, pos)
        for _ in range(count):
            number, pos = _varint(data, pos)
            if number >= len(values):
                raise self._cursor.error(f"value {number} of {len(values)}")
            value = values[number]
            if value is None:
                value = values[number] = _Undefined(self._unknown_type)
            operands.append(value)
        return operands, pos

    def _successors(self, pos: int, state: _RegionState) -> tuple[Sequence[Block], int]:
        data, blocks = self._data, state.blocks
        successors: list[Block] = []
        count, pos = _varint(data, pos)
        for _ in range(count):
            number, pos = _varint(data, pos)
            if number >= len(blocks):
                raise self._cursor.error(f"successor {number} of {len(blocks)} blocks")
            successors.append(blocks[number])
        return successors, pos

    def _regions(self, op: Operation, scope: _Scope, depth: int) -> None:
        cursor = self._cursor
        header = cursor.varint()
        count, isolated = header >> 1, header & 1
        if count > cursor.left:
            raise cursor.error(f"an operation of {count} regions, with {cursor.left} bytes left")
        end = None
        if isolated:
            scope = _Scope()
            if self._version >= Version.ISOLATED_REGION_SECTIONS and count:
                end = self._nested_section()
        for _ in range(count):
            region = Region()
            op.add_region(region)
            self._region(region, scope, depth + 1)
        if end is not None and cursor.pos != end:
            raise cursor.error("an operation's regions don't end where their section does")

    def _nested_section(self) -> int:
        """The header of the IR section of an isolated op; returns the position of its end."""
        cursor = self._cursor
        first = cursor.byte()
        if first & ~SECTION_ALIGNED != Section.IR:
            raise cursor.error("expected an IR section with the regions of an isolated operation")
        size = cursor.varint()
        if first & SECTION_ALIGNED:
            cursor.align(cursor.varint())
        if size > cursor.left:
            raise cursor.error(f"regions of {size} bytes, with {cursor.left} bytes left")
        return cursor.pos + size

    def _skip_use_lists(self, pos: int, values: int) -> int:
        """The order of a value's uses, of which xDSL makes no promises."""
        data = self._data
        count = 1
        if values > 1:
            count, pos = _varint(data, pos)
        for _ in range(count):
            if values > 1:
                _, pos = _varint(data, pos)
            header, pos = _varint(data, pos)
            for _ in range(header >> 1):
                _, pos = _varint(data, pos)
        return pos

    # ---- names, attributes and properties -------------------------------------------------------

    def _resolve(self, op_name: OpName) -> type[Operation]:
        op_type = self._ctx.get_optional_op(op_name.name)
        if op_type is None or op_type is UnregisteredOp:
            raise self._cursor.error(f"op {op_name.name} is not registered")
        op_name.op_type = op_type
        if issubclass(op_type, IRDLOperation):
            op_name.property_names = tuple(op_type.get_irdl_definition().properties)
        return op_type

    def _split(self, number: int, dictionary: int) -> _Split:
        """The properties and the attributes of an op, by its definition."""
        split = self._splits.get((number, dictionary))
        if split is None:
            if len(self._splits) >= _RECENT_SPLITS:
                self._splits.clear()
            entries, parts = self._attributes.dictionary(dictionary, self._cursor)
            split = *_split(self._op_names[number], {}, entries), parts
            self._splits[number, dictionary] = split
        self._spend(split[2])
        return split

    def _native_properties(
        self, op_name: OpName, index: int, entries: Mapping[str, Attribute]
    ) -> tuple[Mapping[str, Attribute], Mapping[str, Attribute]]:
        """The same with the entry of the properties section."""
        cursor = self._cursor
        if op_name.registered is None:
            raise cursor.error(f"op {op_name.name} has native properties before version 5")
        if index >= len(self._properties):
            raise cursor.error(f"properties {index} of {len(self._properties)}")
        base, data = self._properties[index]
        inner = Cursor(data, Section.PROPERTIES.title, base=base)
        if op_name.registered:
            read = read_native_properties(op_name.name, inner, self._attributes.attribute)
        else:
            read, _ = self._attributes.dictionary(inner.varint(), inner)
            inner.expect_end("the properties")
        return _split(op_name, read, entries)


def _split(
    op_name: OpName, properties: Mapping[str, Attribute], entries: Mapping[str, Attribute]
) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Inherent and discardable attributes, whichever way a file holds them, by the op's definition.

    Properties that the definition doesn't have, such as those of unregistered ops, are attributes.
    """
    everything = {**entries, **properties}
    found = {name: everything.pop(name) for name in op_name.property_names if name in everything}
    return found, everything


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    """The number at `pos`, and the position behind it. Raises IndexError at the end."""
    first = data[pos]
    if first & 1:
        return first >> 1, pos + 1
    count = (first & -first).bit_length() if first else 9
    end = pos + count
    if end > len(data):
        raise IndexError
    if first == 0:
        return int.from_bytes(data[pos + 1 : end], "little"), end
    return int.from_bytes(data[pos:end], "little") >> count, end


def _as_module(block: Block) -> ModuleOp:
    first = block.first_op
    if isinstance(first, ModuleOp) and first.next_op is None:
        first.detach()
        return first
    ops = list(block.ops)
    for op in ops:
        op.detach()
    return ModuleOp(ops)
