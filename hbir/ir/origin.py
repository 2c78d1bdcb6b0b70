"""Where a value came from: the source tensor, its layout, its scale, and the nodes fused into it.

Stage comparison, node tables, YAML node names and `--explain` all read the origin. It is the
discardable attribute `origin` of the defining op; for a function argument it is the argument's
`hbir.name`. The op's `NameLoc` derives from it, never the other way round, because xDSL's rewriter
drops locations and its parser can't read fused ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from sys import intern

from typing_extensions import override
from xdsl.dialects.builtin import (
    DenseResourceAttr,
    FloatAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
    UnknownLoc,
    f32,
)
from xdsl.ir import Attribute, BlockArgument, Data, Operation, OpResult, SSAValue
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

ATTRIBUTE = "origin"
"""Key of the discardable attribute."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the source model: its name and its operator type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What an `OriginAttr` holds; immutable, changed with `dataclasses.replace`.

    `perm`: axis i of the value is axis perm[i] of the source tensor; () where they are the same.
    `scale`: a number, or a dense attribute of one per channel.
    """

    tensor: str
    perm: tuple[int, ...] = ()
    nodes: tuple[Node, ...] = ()
    scale: float | Attribute | None = None
    zero_point: int = 0

    def attribute(self) -> OriginAttr:
        """The attribute that says the same, a number as scale rounded to float32."""
        if not isinstance(self.scale, float | int):
            return OriginAttr(self)
        return OriginAttr(replace(self, scale=_to_float32(float(self.scale))))

    @staticmethod
    def of_attribute(attribute: OriginAttr) -> Origin:
        """The origin that the attribute says."""
        return attribute.data

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


@irdl_attr_definition
class OriginAttr(Data[Origin]):
    """An origin as text.

    `#hbir.origin<"name", perm [0, 2], from "Conv_0" "Conv", "Relu_1" "Relu", scale 0.1 : f32,
    zero_point 3>`

    Every part but the name is left out when it says nothing. Every op has one, so it is an object
    of Python and not a tree of attributes, which takes three times the memory.
    """

    name = "hbir.origin"

    @property
    def parameters(self) -> tuple[Attribute, ...]:
        """The attributes in it, as parametrized attributes say theirs."""
        return (self.data.scale,) if isinstance(self.data.scale, Attribute) else ()

    @override
    def print_parameter(self, printer: Printer) -> None:
        origin = self.data
        with printer.in_angle_brackets():
            printer.print_string_literal(origin.tensor)
            if origin.perm:
                printer.print_string(", perm [")
                printer.print_list(origin.perm, printer.print_int)
                printer.print_string("]")
            if origin.nodes:
                printer.print_string(", from ")
                printer.print_list(origin.nodes, lambda node: _print_node(printer, node))
            if origin.scale is not None:
                printer.print_string(", scale ")
                scale = origin.scale
                printer.print_attribute(
                    scale if isinstance(scale, Attribute) else FloatAttr(scale, f32)
                )
            if origin.zero_point:
                printer.print_string(f", zero_point {origin.zero_point}")

    @classmethod
    @override
    def parse_parameter(cls, parser: AttrParser) -> Origin:
        perm: list[int] = []
        nodes: list[Node] = []
        scale: float | Attribute | None = None
        zero_point = 0
        with parser.in_angle_brackets():
            tensor = parser.parse_str_literal()
            while parser.parse_optional_punctuation(","):
                if parser.parse_optional_keyword("perm"):
                    perm = parser.parse_comma_separated_list(
                        parser.Delimiter.SQUARE, parser.parse_integer
                    )
                elif parser.parse_optional_keyword("scale"):
                    scale = _scale_of(parser.parse_attribute())
                elif parser.parse_optional_keyword("zero_point"):
                    zero_point = parser.parse_integer()
                else:
                    parser.parse_optional_keyword("from")
                    node_name = parser.parse_str_literal()
                    nodes.append(Node(node_name, intern(parser.parse_str_literal())))
        return Origin(tensor, tuple(perm), tuple(nodes), scale, zero_point)


def _print_node(printer: Printer, node: Node) -> None:
    printer.print_string_literal(node.name)
    printer.print_string(" ")
    printer.print_string_literal(node.type)


def _scale_of(attribute: Attribute) -> float | Attribute | None:
    if isinstance(attribute, NoneAttr):
        return None
    return _to_float32(attribute.value.data) if isinstance(attribute, FloatAttr) else attribute


def _to_float32(scale: float) -> float:
    return FloatAttr(scale, f32).value.data


_STRING = r'"([^"\\]*)"'
_SIMPLE_ORIGIN = re.compile(
    rf"#hbir\.origin<{_STRING}"
    r"(?:, perm \[([\d, ]*)\])?"
    rf"(?:, from ({_STRING} {_STRING}(?:, {_STRING} {_STRING})*))?"
    r"(?:, scale (?:(?P<scale>-?\d[\d.]*(?:e[+-]?\d+)?) : f32"
    r"|dense_resource<(?P<handle>[A-Za-z_][\w$.-]*)> : tensor<(?P<shape>(?:\d+x)+)f32>))?"
    r"(?:, zero_point (?P<zero>-?\d+))?>"
)
_NODE = re.compile(rf"{_STRING} {_STRING}")


def parse_origin(text: str) -> OriginAttr | None:
    """The attribute of `#hbir.origin<...>` as it is printed; None for the rarer forms.

    A network has one per op, and xDSL's lexer takes a large part of a millisecond for each.
    """
    match = _SIMPLE_ORIGIN.fullmatch(text)
    if match is None:
        return None
    perm = tuple(int(axis) for axis in match[2].split(",")) if match[2] else ()
    nodes = tuple(Node(name, intern(type_)) for name, type_ in _NODE.findall(match[3] or ""))
    scale: float | Attribute | None = float(match["scale"]) if match["scale"] else None
    if match["handle"]:
        shape = [int(extent) for extent in match["shape"].split("x")[:-1]]
        scale = DenseResourceAttr.from_params(match["handle"], TensorType(f32, shape))
    return Origin(match[1], perm, nodes, scale, int(match["zero"] or 0)).attribute()


def origin_of_op(op: Operation) -> Origin | None:
    """The origin that an op carries, or None."""
    attribute = op.attributes.get(ATTRIBUTE)
    return Origin.of_attribute(attribute) if isinstance(attribute, OriginAttr) else None


def nodes_of(op: Operation) -> tuple[Node, ...]:
    """The source nodes that an op was made of; none where that isn't known."""
    origin = origin_of_op(op)
    return () if origin is None else origin.nodes


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
