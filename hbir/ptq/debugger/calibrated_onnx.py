"""A `_calibrated_model.onnx` as the qat module that it was written from.

The file shows a network to people and to onnxruntime, so some of what the module says is spread
over it: rounded constants are read as integers, a float16 is two casts, nodes that became one op
carry both names, and each rounding gives its tensor another name. Here that is put together again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from onnx import ModelProto
from xdsl.context import Context
from xdsl.ir import Operation

from hbir.dialects.hbir.activation import ClipOp
from hbir.dialects.hbir.cast import CastTypeOp, FakeCastOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.exporters.onnx.cast import FLOAT16_MAX
from hbir.exporters.onnx.exporter import ROUNDING
from hbir.frontends.onnx.proto import load_model, tensor_array
from hbir.ir.origin import Node, Origin, nodes_of, origin_of, origin_of_op, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array, dtype_of, shape_of
from hbir.module import Module

LOG = logging.getLogger("hbir.ptq")

FLOAT16_NODE = f"/{ROUNDING[FakeCastOp.name]}"
"""How the node ends that stands for a cast to float16, after its tensor."""

JOINED = "+"
"""What stands between the names of nodes that became one, here and in the node table."""


@dataclass(frozen=True)
class _File:
    """What the file says beside the network. weights: before rounding, by the tensor that holds
    them; tensors: a rounded tensor → the one that it is made of."""

    weights: Mapping[str, Array]
    tensors: Mapping[str, str]
    outputs: frozenset[str]


def read_calibrated(source: Any) -> Module:
    """The module of a calibrated model, a path or a proto. Raises HbirError for a file that can't
    be read."""
    from hbir.onnx import export

    proto, label = load_model(source)
    file = _read(proto, label)
    module = export(source)
    rewrite = Rewrite(module.context)
    for function in module.functions:
        for op in list(function.operations):
            if isinstance(op, ConstFakeQuantOp):
                _restore(op, file, module)
            elif isinstance(op, CastTypeOp):
                _as_fake_cast(op, rewrite)
        _restore_nodes(list(function.operations), module.context)
    return module


def _read(proto: ModelProto, label: str) -> _File:
    """Roundings are QuantizeLinear and DequantizeLinear once functions are inlined. The frontend
    rounds constants that one reads; that is what is to be switched."""
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    nodes = proto.graph.node
    read = {node.output[0]: node.input[0] for node in nodes if node.op_type == "QuantizeLinear"}
    tensors = {
        node.output[0]: read[node.input[0]]
        for node in nodes
        if node.op_type == "DequantizeLinear" and node.input[0] in read
    }
    weights = {
        rounded: tensor_array(constants[tensor], label)
        for rounded, tensor in tensors.items()
        if tensor in constants
    }
    if any(n.op_type == "DequantizeLinear" and n.input[0] in constants for n in nodes):
        LOG.warning(
            "%s: holds weights that are integers already, whose rounding can't be switched off; the"
            " _calibrated_model.onnx has them as they were",
            label,
        )
    return _File(weights, tensors, frozenset(port.name for port in proto.graph.output))


def _restore(op: ConstFakeQuantOp, file: _File, module: Module) -> None:
    """A rounding's tensor is the one that it rounds, no node of the user's is it; a constant is
    what it was."""
    source, origin = op.x.owner, origin_of_op(op)
    if origin is None:
        return
    if not isinstance(source, ConstantOp):
        rounded = origin_of(op.x)
        if rounded is not None and origin.tensor not in file.outputs:  # which keep their names
            origin = replace(origin, tensor=rounded.tensor)
        set_origin(op, replace(origin, nodes=()))
        return
    named = replace(origin, tensor=file.tensors.get(origin.tensor, origin.tensor), nodes=())
    array = file.weights.get(origin.tensor)
    if array is not None:
        if len(origin.perm) == array.ndim:
            array = array.transpose(origin.perm)
        if array.shape == shape_of(source.output):
            source.properties["values"] = module.weights.attribute(array)
    for each in (source, op):
        set_origin(each, named)


def _as_fake_cast(op: CastTypeOp, rewrite: Rewrite) -> None:
    """Clip to what a float16 holds, cast to it and back: one `hbir.fake_cast`."""
    half = op.operands[0].owner
    if not isinstance(half, CastTypeOp) or dtype_of(half.results[0]) != "float16":
        return
    clip = half.operands[0].owner
    if not isinstance(clip, ClipOp):
        return
    params = clip.params()
    if (params["min"], params["max"]) != (-FLOAT16_MAX, FLOAT16_MAX):
        return
    origin = origin_of_op(op)
    tensor = nodes_of(op)[-1].name.removesuffix(FLOAT16_NODE) if nodes_of(op) else ""
    rounded = None if origin is None else Origin(tensor or origin.tensor, origin.perm)
    cast = FakeCastOp.make(clip.operands[0], origin=rounded)
    rewrite.replace(op, cast, also=(half, clip), origin=rounded)


def _restore_nodes(ops: list[Operation], context: Context) -> None:
    """`Conv_0+Relu_1` is both nodes, and `Softmax_2/exp` a part of `Softmax_2`.

    The joined name stays one that the node can be found by.
    """
    known = {node.name for op in ops for node in nodes_of(op)}
    for op in ops:
        origin = origin_of_op(op)
        if origin is None or not origin.nodes:
            continue
        found: dict[Node, None] = {}
        for node in origin.nodes:
            whole, _, part = node.name.rpartition("/")
            if whole in known and context.get_optional_op(f"hbir.{part}") is not None:
                node = Node(whole, node.type)
            found[node] = None
            parts = node.name.split(JOINED)
            if len(parts) > 1 and all(parts):
                found.update({Node(name, node.type): None for name in parts})
        set_origin(op, replace(origin, nodes=tuple(found)))
