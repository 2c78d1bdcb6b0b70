"""Values of the IR as ONNX tensors, in whatever layouts they are asked for.

A layout is a permutation: axis i of the ONNX tensor is axis layout[i] of the IR's value. The IR is
channel-last, users' networks mostly aren't: an image is exported as (0, 3, 1, 2) by what makes it,
whatever works element by element keeps its operand's layout, and a transpose of the IR is another
layout of the same tensor. A Transpose node appears only where a reader needs a layout that nobody
has made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import OpResult, SSAValue

from hbir.exporters.onnx.graph import OnnxGraph, TensorInfo
from hbir.ir.origin import Origin, origin_of
from hbir.ir.types import Array, dtype_of, shape_of
from hbir.passes.permutation import Dims, compose, identity, inverse

Maker = Callable[[Dims], str]
"""Makes the tensor of a value in a layout, for values that no node makes: constants."""


@dataclass
class ExportedValue:
    """The ONNX tensors of one IR value, by layout. `layout` is the one its node made."""

    layout: Dims
    tensors: dict[Dims, str] = field(default_factory=dict[Dims, str])
    make: Maker | None = None
    array: Array | None = None
    """The constant's value, in the IR's layout."""


def in_source_layout(value: SSAValue, layout: Dims) -> bool:
    """Whether a tensor in `layout` has the axes of the source tensor in the source's order."""
    origin = origin_of(value)
    if origin is None or len(origin.perm) != len(layout):
        return layout == identity(len(layout))
    return compose(origin.perm, layout) == identity(len(layout))


def tensor_name(value: SSAValue, layout: Dims, default: str) -> str:
    """What the tensor of a value in a layout is to be called: the source tensor's name, with a
    mark where the layout is another."""
    origin = origin_of(value)
    if origin is None or not origin.tensor:
        return default
    return origin.tensor if in_source_layout(value, layout) else f"{origin.tensor}_transposed"


def node_name(origin: Origin | None) -> str:
    """The names of the source nodes, joined by `+` as in node tables; empty for none."""
    return "" if origin is None else "+".join(node.name for node in origin.nodes)


class Values:
    """What each IR value is in the ONNX graph."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self._values: dict[SSAValue, ExportedValue] = {}

    def add(self, value: SSAValue, layout: Dims, tensor: str) -> None:
        """`value` is the tensor that a node made, or an input."""
        self._values[value] = ExportedValue(layout, {layout: tensor})
        self._describe(value, layout, tensor)

    def add_made(self, value: SSAValue, make: Maker, array: Array | None = None) -> None:
        """`value` is made when it is asked for, in the layout that is asked for."""
        self._values[value] = ExportedValue(identity(len(shape_of(value))), {}, make, array)

    def add_transposed(self, value: SSAValue, source: SSAValue, dims: Dims) -> None:
        """`value` is `source` transposed by `dims`: the same tensors under other layouts."""
        known = self._values[source]
        back = inverse(dims)

        def seen(layout: Dims) -> Dims:
            return tuple(back[axis] for axis in layout)

        make = None
        if known.make is not None:
            make_source = known.make

            def make_transposed(layout: Dims) -> str:
                return make_source(tuple(dims[axis] for axis in layout))

            make = make_transposed
        array = None if known.array is None else known.array.transpose(dims)
        tensors = {seen(layout): name for layout, name in known.tensors.items()}
        self._values[value] = ExportedValue(seen(known.layout), tensors, make, array)

    def layout(self, value: SSAValue) -> Dims:
        """The layout in which `value` was made."""
        return self._values[value].layout

    def has(self, value: SSAValue, layout: Dims) -> bool:
        """Whether `value` can be read in `layout` without transposing it."""
        known = self._values[value]
        return known.make is not None or layout in known.tensors

    def array(self, value: SSAValue) -> Array | None:
        """The value of a constant, in the IR's layout; None for others."""
        return self._values[value].array

    def is_made(self, value: SSAValue) -> bool:
        """Whether `value` is a constant, which has every layout."""
        return self._values[value].make is not None

    def tensor(self, value: SSAValue, layout: Dims) -> str:
        """The tensor of `value` in `layout`; transposed here, the first time it is asked for."""
        known = self._values[value]
        if layout not in known.tensors:
            make = known.make
            known.tensors[layout] = (
                self._transposed(value, known, layout) if make is None else make(layout)
            )
            self._describe(value, layout, known.tensors[layout])
        return known.tensors[layout]

    def _transposed(self, value: SSAValue, known: ExportedValue, layout: Dims) -> str:
        source = known.tensors[known.layout]
        name = self.graph.tensors.fresh(tensor_name(value, layout, f"{source}_transposed"))
        self.graph.node(
            "Transpose",
            [source],
            [name],
            self.graph.node_names.fresh(_transpose_name(value, source)),
            {"perm": [known.layout.index(axis) for axis in layout]},
        )
        return name

    def _describe(self, value: SSAValue, layout: Dims, tensor: str) -> None:
        shape = shape_of(value)
        source, perm = "", ()
        origin = origin_of(value)
        if origin is not None and len(origin.perm) in (0, len(layout)):
            source = origin.tensor
            composed = compose(origin.perm or identity(len(layout)), layout)
            perm = () if composed == identity(len(layout)) else composed
        info = TensorInfo(tuple(shape[axis] for axis in layout), dtype_of(value), source, perm)
        self.graph.describe(tensor, info)


def _transpose_name(value: SSAValue, source: str) -> str:
    """A transpose of the user's keeps its name where it comes to light."""
    named = ""
    if isinstance(value, OpResult) and value.op.name == "hbir.transpose":
        named = node_name(origin_of(value))
    return named or f"{source}/Transpose"


def permuted(array: Array, layout: Dims) -> Array:
    """A constant's array in a layout, contiguous."""
    return np.asarray(array.transpose(layout), order="C")
