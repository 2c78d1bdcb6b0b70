"""Attention (opset 23): scaled dot-product attention as one operator."""

from __future__ import annotations

import math

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.ir.types import shape_of
from hbir.kernels.float.attention import MASKED


@imports("Attention")
def attention(node: NodeImport) -> SSAValue:
    """Attention → attention, heads on an axis of their own.

    (batch, length, heads · size) is taken apart and put together again. Fewer heads of key and
    value than of query (grouped queries) broadcast over the groups.
    """
    if any(node.node.outputs[1:]):
        raise NoBpuForm("only its first result has a BPU form, no cache and no products")
    if node.has(4) or node.has(5) or node.has(6):
        raise NoBpuForm("past keys and values have no BPU form")
    flat = len(node.shape(0)) == 3
    query_heads, key_heads = _heads(node, flat)
    query = _split_heads(node, 0, query_heads)
    key, value = _split_heads(node, 1, key_heads), _split_heads(node, 2, key_heads)
    groups = query_heads // key_heads
    if groups > 1:
        batch, _, length, size = shape_of(query)
        query = node.reshape(query, (batch, key_heads, groups, length, size))
        key, value = (_with_group_axis(node, side) for side in (key, value))
    operands = [query, key, value]
    if node.has(3):
        operands.append(_mask(node, key_heads, groups))
    result = node.emit(
        "attention",
        *operands,
        scale=node.float_("scale", 1 / math.sqrt(shape_of(query)[-1])),
        is_causal=bool(node.int_("is_causal", 0)),
        softcap=node.float_("softcap", 0.0),
        origin=None if flat or groups > 1 else node.origin(),
    )
    *_, length, size = shape_of(result)
    batch = shape_of(result)[0]
    if groups > 1:
        origin = None if flat else node.origin()
        result = node.reshape(result, (batch, query_heads, length, size), origin)
    if not flat:
        return result
    merged = node.transpose(result, (0, 2, 1, 3))
    return node.result("reshape", merged, shape=[batch, length, query_heads * size])


def _heads(node: NodeImport, flat: bool) -> tuple[int, int]:
    """Heads of the query, and of key and value."""
    if any(len(node.shape(index)) != len(node.shape(0)) for index in (1, 2)):
        raise NoBpuForm("query, key and value must have the same rank")
    if len(node.shape(0)) not in (3, 4):
        raise NoBpuForm(f"its inputs must have rank 3 or 4, they have {len(node.shape(0))}")
    if flat:
        heads = node.int_("q_num_heads", 0), node.int_("kv_num_heads", 0)
    else:
        heads = node.shape(0)[1], node.shape(1)[1]
    if min(heads) < 1 or heads[0] % heads[1]:
        raise NoBpuForm(f"{heads[0]} heads of the query can't share {heads[1]} of key and value")
    return heads


def _split_heads(node: NodeImport, index: int, heads: int) -> SSAValue:
    """(batch, length, heads · size) as (batch, heads, length, size)."""
    value = node.value(index)
    if len(shape_of(value)) == 4:
        return value
    batch, length, width = shape_of(value)
    if width % heads:
        raise NoBpuForm(f"{heads} heads don't divide the {width} columns of input {index}")
    return node.transpose(node.reshape(value, (batch, length, heads, width // heads)), (0, 2, 1, 3))


def _with_group_axis(node: NodeImport, value: SSAValue) -> SSAValue:
    batch, heads, length, size = shape_of(value)
    return node.reshape(value, (batch, heads, 1, length, size))


def _mask(node: NodeImport, key_heads: int, groups: int) -> SSAValue:
    """The mask as what is added to the scores; true where a boolean one lets a key be seen."""
    array_is_bool = node.dtype(3) == np.dtype(bool)
    if array_is_bool:
        seen = node.constant(3, "a boolean mask")
        added = np.where(seen, 0.0, MASKED).astype(np.float32)
        mask = node.constant_value(added, f"{node.node.inputs[3]}#added")
    else:
        mask = node.value(3)
    shape = shape_of(mask)
    if groups == 1 or len(shape) < 3:
        return mask
    heads = (key_heads, groups) if shape[-3] > 1 else (1, 1)
    return node.reshape(mask, (*shape[:-3], *heads, *shape[-2:]))
