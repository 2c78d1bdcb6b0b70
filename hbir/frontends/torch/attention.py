"""scaled_dot_product_attention."""

from __future__ import annotations

import math

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.ir.types import shape_of
from hbir.kernels.float.attention import MASKED


@imports("scaled_dot_product_attention.default")
def attention(node: NodeImport) -> SSAValue:
    """scaled_dot_product_attention → attention; grouped queries share heads by broadcasting. Not
    with dropout."""
    if node.float_("dropout_p") != 0:
        raise NoBpuForm(f"dropout_p must be 0, got {node.float_('dropout_p')}; call module.eval()")
    operands = [node.value(name) for name in ("query", "key", "value")]
    if node.has("attn_mask"):
        operands.append(_mask(node))
    scale = _applied_scale(node.float_("scale", 1 / math.sqrt(node.shape("query")[-1])))
    causal = node.bool_("is_causal")
    if not node.bool_("enable_gqa") or node.shape("query")[-3] == node.shape("key")[-3]:
        return node.result("attention", *operands, scale=scale, is_causal=causal)
    by_groups = [_by_groups(node, value, at) for at, value in enumerate(operands)]
    result = node.emit("attention", *by_groups, scale=scale, is_causal=causal)
    *lead, _, _, length, size = shape_of(result)
    heads = node.shape("query")[-3]
    return node.reshape(result, (*lead, heads, length, size), node.origin())


def _by_groups(node: NodeImport, value: SSAValue, at: int) -> SSAValue:
    """(..., heads, rows, columns) as (..., heads of the key, groups, rows, columns)."""
    shape = shape_of(value)
    query_heads, key_heads = node.shape("query")[-3], node.shape("key")[-3]
    if len(shape) < 3:
        return value  # a mask that all heads share
    heads = (key_heads, query_heads // key_heads) if shape[-3] == query_heads else (shape[-3], 1)
    name = ("query", "key", "value", "attn_mask")[at]
    return node.reshape(value, (*shape[:-3], *heads, *shape[-2:]), node.step(f"{name}_by_groups"))


def _applied_scale(scale: float) -> float:
    """The scale as PyTorch applies it: a float32 of its root to the query and to the key."""
    root = float(np.float32(math.sqrt(abs(scale))))
    return math.copysign(root * root, scale)


def _mask(node: NodeImport) -> SSAValue:
    """What is added to the scores; a boolean mask is true where a key may be seen."""
    mask = node.operand("attn_mask")
    if mask.dtype != np.bool_:
        return node.materialized(mask)
    seen = node.constant("attn_mask", "a boolean mask")
    added = np.where(seen, 0.0, MASKED).astype(np.float32)
    return node.constant_value(added, f"{mask.name}#added")
