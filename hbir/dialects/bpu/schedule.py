"""Attributes that say how and where a `bpu` op runs: `#bpu.schedule` and `#bpu.alloc`.

They are discardable attributes (`schedule`, `alloc`) of ops of any `bpu` family, written by the
schedule passes and read by the scheduled interpreter and code generation.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override
from xdsl.dialects.builtin import ArrayAttr, IntAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

SCHEDULE = "schedule"
ALLOC = "alloc"
"""Keys of the discardable attributes."""


@irdl_attr_definition
class ScheduleAttr(ParametrizedAttribute):
    """`#bpu.schedule<group 0, tile [1, 8, 16, 64], order [0, 3, 1, 2], buffers 2>`.

    group: layers of one number are tiled together. tile: elements of the output per tile, one per
    axis; a convolution whose reduction is split has one entry more, input channels. order: the
    axes of `tile`, outermost loop first. buffers: tiles of an operand on chip at once (2: double
    buffering).
    """

    name = "bpu.schedule"

    group: IntAttr
    tile: ArrayAttr[IntAttr]
    order: ArrayAttr[IntAttr]
    buffers: IntAttr

    @staticmethod
    def of(group: int, tile: Sequence[int], order: Sequence[int], buffers: int) -> ScheduleAttr:
        """The attribute of Python integers."""
        return ScheduleAttr(
            IntAttr(group),
            ArrayAttr([IntAttr(extent) for extent in tile]),
            ArrayAttr([IntAttr(axis) for axis in order]),
            IntAttr(buffers),
        )

    @property
    def tile_extents(self) -> tuple[int, ...]:
        """`tile` as Python integers."""
        return tuple(extent.data for extent in self.tile.data)

    @property
    def loop_order(self) -> tuple[int, ...]:
        """`order` as Python integers."""
        return tuple(axis.data for axis in self.order.data)

    @override
    def verify(self) -> None:
        tile, order = self.tile_extents, self.loop_order
        if any(extent < 1 for extent in tile):
            raise VerifyException(f"tile must have extents of at least 1, got {list(tile)}")
        if sorted(order) != list(range(len(tile))):
            raise VerifyException(
                f"order must name each of the {len(tile)} axes of tile once, got {list(order)}"
            )
        if self.group.data < 0 or self.buffers.data < 1:
            raise VerifyException(
                f"group must be at least 0 and buffers at least 1, got {self.group.data} and"
                f" {self.buffers.data}"
            )

    @override
    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(
                f"group {self.group.data}, tile {list(self.tile_extents)},"
                f" order {list(self.loop_order)}, buffers {self.buffers.data}"
            )

    @classmethod
    @override
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            parser.parse_keyword("group")
            group = IntAttr(parser.parse_integer())
            parser.parse_punctuation(",")
            parser.parse_keyword("tile")
            tile = _parse_ints(parser)
            parser.parse_punctuation(",")
            parser.parse_keyword("order")
            order = _parse_ints(parser)
            parser.parse_punctuation(",")
            parser.parse_keyword("buffers")
            buffers = IntAttr(parser.parse_integer())
        return [group, tile, order, buffers]


def _parse_ints(parser: AttrParser) -> ArrayAttr[IntAttr]:
    values = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    return ArrayAttr([IntAttr(value) for value in values])


class MemorySpace(StrEnum):
    """The machine's memories, by the names that the program level uses."""

    L1 = "l1"
    L2 = "l2"
    CONSTANT = "constant"
    WORKSPACE = "workspace"
    INPUT = "input"
    OUTPUT = "output"


@irdl_attr_definition
class SpaceAttr(EnumAttribute[MemorySpace], SpacedOpaqueSyntaxAttribute):
    """`#bpu<space l1>`: a memory."""

    name = "bpu.space"


@irdl_attr_definition
class AllocAttr(ParametrizedAttribute):
    """`#bpu.alloc<l1, offset 4096, bytes 65536>`: where an op's result lives.

    offset and bytes count from the start of the space; input and output have one space per tensor.
    """

    name = "bpu.alloc"

    space: SpaceAttr
    offset: IntAttr
    bytes: IntAttr

    @staticmethod
    def of(space: MemorySpace | str, offset: int, size_bytes: int) -> AllocAttr:
        """The attribute of Python values."""
        return AllocAttr(SpaceAttr(MemorySpace(space)), IntAttr(offset), IntAttr(size_bytes))

    @override
    def verify(self) -> None:
        if self.offset.data < 0 or self.bytes.data < 1:
            raise VerifyException(
                f"offset must be at least 0 and bytes at least 1, got {self.offset.data} and"
                f" {self.bytes.data}"
            )

    @override
    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(
                f"{self.space.data.value}, offset {self.offset.data}, bytes {self.bytes.data}"
            )

    @classmethod
    @override
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            space = SpaceAttr(parser.parse_str_enum(MemorySpace))
            parser.parse_punctuation(",")
            parser.parse_keyword("offset")
            offset = IntAttr(parser.parse_integer())
            parser.parse_punctuation(",")
            parser.parse_keyword("bytes")
            size_bytes = IntAttr(parser.parse_integer())
        return [space, offset, size_bytes]
