"""Where a value came from: the source tensor, its layout, its scale, and the nodes fused into it.

Stage comparison, node tables, YAML node names and `--explain` all read the origin. It is the
discardable attribute `origin` of the defining op; for a function argument it is the argument's
`hbir.name`. The op's `NameLoc` derives from it, never the other way round, because xDSL's rewriter
drops locations and its parser can't read fused ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override
from xdsl.dialects.builtin import (
    ArrayAttr,
    FloatAttr,
    IntAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
    f32,
)
from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, ParametrizedAttribute, SSAValue
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

ATTRIBUTE = "origin"
"""Key of the discardable attribute."""


@irdl_attr_definition
class OriginAttr(ParametrizedAttribute):
    """An origin as text.

    `#hbir.origin<"name", perm [0, 2], from "Conv_0" "Conv", "Relu_1" "Relu", scale 0.1 : f32,
    zero_point 3>`

    Every part but the name is left out when it says nothing. `perm`: axis i of the value is axis
    perm[i] of the source tensor. `scale`: a float, or a dense attribute of one float per channel.
    """

    name = "hbir.origin"

    tensor: StringAttr
    perm: ArrayAttr[IntAttr]
    nodes: ArrayAttr[ArrayAttr[StringAttr]]
    scale: Attribute
    zero_point: IntAttr

    @override
    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(self.tensor.data)
            if self.perm.data:
                printer.print_string(", perm [")
                printer.print_list(self.perm.data, lambda axis: printer.print_int(axis.data))
                printer.print_string("]")
            if self.nodes.data:
                printer.print_string(", from ")
                printer.print_list(self.nodes.data, lambda node: _print_node(printer, node))
            if not isinstance(self.scale, NoneAttr):
                printer.print_string(", scale ")
                printer.print_attribute(self.scale)
            if self.zero_point.data:
                printer.print_string(f", zero_point {self.zero_point.data}")

    @classmethod
    @override
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        perm: list[IntAttr] = []
        nodes: list[ArrayAttr[StringAttr]] = []
        scale: Attribute = NoneAttr()
        zero_point = 0
        with parser.in_angle_brackets():
            name = parser.parse_str_literal()
            while parser.parse_optional_punctuation(","):
                if parser.parse_optional_keyword("perm"):
                    perm = [
                        IntAttr(axis)
                        for axis in parser.parse_comma_separated_list(
                            parser.Delimiter.SQUARE, parser.parse_integer
                        )
                    ]
                elif parser.parse_optional_keyword("scale"):
                    scale = parser.parse_attribute()
                elif parser.parse_optional_keyword("zero_point"):
                    zero_point = parser.parse_integer()
                else:
                    parser.parse_optional_keyword("from")
                    nodes.append(_parse_node(parser))
        return [StringAttr(name), ArrayAttr(perm), ArrayAttr(nodes), scale, IntAttr(zero_point)]


_STRING = r'"([^"\\]*)"'
_SIMPLE_ORIGIN = re.compile(
    rf"#hbir\.origin<{_STRING}"
    r"(?:, perm \[([\d, ]*)\])?"
    rf"(?:, from ({_STRING} {_STRING}(?:, {_STRING} {_STRING})*))?"
    r"(?:, scale (?P<scale>-?\d[\d.]*(?:e[+-]?\d+)?) : f32)?"
    r"(?:, zero_point (?P<zero>-?\d+))?>"
)
_NODE = re.compile(rf"{_STRING} {_STRING}")
_NO_SCALE = NoneAttr()


def parse_origin(text: str) -> OriginAttr | None:
    """The attribute of `#hbir.origin<...>` as it is printed; None for the rarer forms.

    A network has one per op, and xDSL's lexer takes a large part of a millisecond for each.
    """
    match = _SIMPLE_ORIGIN.fullmatch(text)
    if match is None:
        return None
    perm = [IntAttr(int(axis)) for axis in match[2].split(",")] if match[2] else []
    nodes = [
        ArrayAttr([StringAttr(name), StringAttr(type_)])
        for name, type_ in _NODE.findall(match[3] or "")
    ]
    scale = FloatAttr(float(match["scale"]), f32) if match["scale"] else _NO_SCALE
    zero_point = IntAttr(int(match["zero"] or 0))
    return OriginAttr(StringAttr(match[1]), ArrayAttr(perm), ArrayAttr(nodes), scale, zero_point)


def _print_node(printer: Printer, node: ArrayAttr[StringAttr]) -> None:
    node_name, node_type = node.data
    printer.print_string_literal(node_name.data)
    printer.print_string(" ")
    printer.print_string_literal(node_type.data)


def _parse_node(parser: AttrParser) -> ArrayAttr[StringAttr]:
    node_name = parser.parse_str_literal()
    return ArrayAttr([StringAttr(node_name), StringAttr(parser.parse_str_literal())])


@dataclass(frozen=True)
class Node:
    """A node of the source model: its name and its operator type."""

    name: str
    type: str


@dataclass(frozen=True)
class Origin:
    """The Python face of `OriginAttr`; immutable, changed with `dataclasses.replace`."""

    tensor: str
    perm: tuple[int, ...] = ()
    nodes: tuple[Node, ...] = ()
    scale: float | Attribute | None = None
    zero_point: int = 0

    _attribute: OriginAttr | None = field(default=None, compare=False, repr=False)

    def attribute(self) -> OriginAttr:
        """The attribute that says the same."""
        match self.scale:
            case None:
                scale: Attribute = NoneAttr()
            case float() | int():
                scale = FloatAttr(float(self.scale), f32)
            case _:
                scale = self.scale
        return OriginAttr(
            StringAttr(self.tensor),
            ArrayAttr([IntAttr(axis) for axis in self.perm]),
            ArrayAttr([ArrayAttr([StringAttr(n.name), StringAttr(n.type)]) for n in self.nodes]),
            scale,
            IntAttr(self.zero_point),
        )

    @staticmethod
    def of_attribute(attribute: OriginAttr) -> Origin:
        """The origin that the attribute says."""
        scale: float | Attribute | None = attribute.scale
        if isinstance(scale, NoneAttr):
            scale = None
        elif isinstance(scale, FloatAttr):
            scale = float(scale.value.data)
        return Origin(
            attribute.tensor.data,
            tuple(axis.data for axis in attribute.perm.data),
            tuple(Node(n.data[0].data, n.data[1].data) for n in attribute.nodes.data),
            scale,
            attribute.zero_point.data,
        )

    def fused_with(self, others: Iterable[Origin]) -> Origin:
        """This origin, with the source nodes of `others` before its own, each once."""
        nodes = dict.fromkeys(node for other in others for node in other.nodes)
        nodes.update(dict.fromkeys(self.nodes))
        return replace(self, nodes=tuple(nodes))

    def permuted(self, dims: Sequence[int]) -> Origin:
        """The origin of this value transposed by `dims`; the identity is written as ()."""
        perm = self.perm or tuple(range(len(dims)))
        composed = tuple(perm[axis] for axis in dims)
        return replace(self, perm=() if composed == tuple(range(len(composed))) else composed)

    def quantized(self, scale: float | Attribute, zero_point: int = 0) -> Origin:
        """The origin with a scale and zero point."""
        return replace(self, scale=scale, zero_point=zero_point)


def origin_of_op(op: Operation) -> Origin | None:
    """The origin that an op carries, or None."""
    attribute = op.attributes.get(ATTRIBUTE)
    return Origin.of_attribute(attribute) if isinstance(attribute, OriginAttr) else None


def set_origin(op: Operation, origin: Origin | None) -> None:
    """Write an op's origin, and the location that derives from it."""
    if origin is None:
        op.attributes.pop(ATTRIBUTE, None)
        op.location = UnknownLoc()
        return
    op.attributes[ATTRIBUTE] = origin.attribute()
    op.location = NameLoc(StringAttr(origin.tensor), NoneAttr())


def origin_of(value: SSAValue) -> Origin | None:
    """The origin of a value: its op's, or an argument's name."""
    if isinstance(value, OpResult):
        return origin_of_op(value.op)
    if isinstance(value, BlockArgument):
        name = argument_name(value)
        return Origin(name) if name is not None else None
    return None


def argument_name(argument: BlockArgument) -> str | None:
    """The `hbir.name` of a function's argument, or None."""
    from hbir.ir.function import argument_attribute

    name = argument_attribute(argument, "hbir.name")
    return name.data if isinstance(name, StringAttr) else None


def name_of(value: SSAValue, default: str = "") -> str:
    """The source tensor name of a value, or `default`."""
    origin = origin_of(value)
    return origin.tensor if origin is not None else default
