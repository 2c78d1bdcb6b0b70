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

    group: layers of one number are tiled together; they take turns along the first axis of `order`
    (backend/interleave.py). tile: elements of the output per tile, one per axis; a convolution
    whose reduction is split has one entry more, input channels. order: the axes of `tile`,
    outermost loop first. buffers: tiles of an operand on chip at once (2: double buffering).
    `, lead 3` behind it: the first tile along the outermost axis has 3 elements more.
    """

    name = "bpu.schedule"

    group: IntAttr
    tile: ArrayAttr[IntAttr]
    order: ArrayAttr[IntAttr]
    buffers: IntAttr
    lead: IntAttr

    @staticmethod
    def of(
        group: int, tile: Sequence[int], order: Sequence[int], buffers: int, lead: int = 0
    ) -> ScheduleAttr:
        """The attribute of Python integers."""
        return ScheduleAttr(
            IntAttr(group),
            ArrayAttr([IntAttr(extent) for extent in tile]),
            ArrayAttr([IntAttr(axis) for axis in order]),
            IntAttr(buffers),
            IntAttr(lead),
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
        if self.group.data < 0 or self.buffers.data < 1 or self.lead.data < 0:
            raise VerifyException(
                f"group and lead must be at least 0 and buffers at least 1, got {self.group.data},"
                f" {self.lead.data} and {self.buffers.data}"
            )

    @override
    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(
                f"group {self.group.data}, tile {list(self.tile_extents)},"
                f" order {list(self.loop_order)}, buffers {self.buffers.data}"
            )
            if self.lead.data:
                printer.print_string(f", lead {self.lead.data}")

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
            lead = IntAttr(_parse_optional(parser, "lead"))
        return [group, tile, order, buffers, lead]


def _parse_optional(parser: AttrParser, keyword: str) -> int:
    """`, keyword N`, or 0 where the list ends."""
    if parser.parse_optional_punctuation(",") is None:
        return 0
    parser.parse_keyword(keyword)
    return parser.parse_integer()


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
    Behind them, `, rows 24`: a line buffer of 24 rows (axis 1 wraps); and `, strides [9216, 96, 1]`
    in bytes, where they aren't those of a tensor with its channels padded to the lanes: a part of
    another tensor's memory.
    """

    name = "bpu.alloc"

    space: SpaceAttr
    offset: IntAttr
    bytes: IntAttr
    rows: IntAttr
    strides: ArrayAttr[IntAttr]

    @staticmethod
    def of(
        space: MemorySpace | str,
        offset: int,
        size_bytes: int,
        rows: int = 0,
        strides: Sequence[int] = (),
    ) -> AllocAttr:
        """The attribute of Python values."""
        return AllocAttr(
            SpaceAttr(MemorySpace(space)),
            IntAttr(offset),
            IntAttr(size_bytes),
            IntAttr(rows),
            ArrayAttr([IntAttr(stride) for stride in strides]),
        )

    @property
    def on_chip(self) -> bool:
        """Whether it lies in L1, where engines read and write it; L2 is reached like DDR."""
        return self.space.data is MemorySpace.L1

    @property
    def byte_strides(self) -> tuple[int, ...]:
        """`strides` as Python integers."""
        return tuple(stride.data for stride in self.strides.data)

    @override
    def verify(self) -> None:
        if self.offset.data < 0 or self.bytes.data < 1 or self.rows.data < 0:
            raise VerifyException(
                f"offset and rows must be at least 0 and bytes at least 1, got {self.offset.data},"
                f" {self.rows.data} and {self.bytes.data}"
            )

    @override
    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(
                f"{self.space.data.value}, offset {self.offset.data}, bytes {self.bytes.data}"
            )
            if self.rows.data:
                printer.print_string(f", rows {self.rows.data}")
            if self.strides.data:
                printer.print_string(f", strides {list(self.byte_strides)}")

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
            rows, strides = 0, ArrayAttr[IntAttr]([])
            while parser.parse_optional_punctuation(",") is not None:
                if parser.parse_optional_keyword("rows") is not None:
                    rows = parser.parse_integer()
                    continue
                parser.parse_keyword("strides")
                strides = _parse_ints(parser)
        return [space, offset, size_bytes, IntAttr(rows), strides]
