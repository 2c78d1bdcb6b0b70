"""Scaled dot-product attention, as frameworks export it whole; `decompose-attention` unfolds it."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, result_def

from hbir.dialects.checks import broadcast_shape, expect
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, float_property
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class AttentionOp(FloatOp):
    """softmax(scale · query · keyᵀ + mask) · value, the softmax being over the keys.

    query: (..., L, E), key: (..., S, E), value: (..., S, V); leading dimensions (batch, heads)
    broadcast. mask is added, and broadcasts to (..., L, S). isCausal: query i sees keys 0…i alone.
    softcap c > 0 bounds the scaled products p before the mask is added: c · tanh(p / c).
    """

    name = "hbir.attention"

    query = operand_def(TensorType)
    key = operand_def(TensorType)
    value = operand_def(TensorType)
    mask = opt_operand_def(TensorType)
    scale = float_property()
    is_causal = bool_property(False, "isCausal")
    softcap = float_property(0.0)
    result = result_def(TensorType)

    assembly_format = (
        "$query `,` $key `,` $value (`,` $mask^)? attr-dict `:` functional-type(operands, results)"
    )

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        query, key, value = (operand.get_shape() for operand in operands[:3])
        got = f"got {list(query)}, {list(key)} and {list(value)}"
        expect(
            min(len(query), len(key), len(value)) >= 2,
            f"query, key and value must be (..., L, E), (..., S, E) and (..., S, V), {got}",
        )
        expect(query[-1] == key[-1], f"query and key must have one last extent, {got}")
        expect(key[-2] == value[-2], f"key and value must have as many rows, {got}")
        expect(key[-2] > 0, f"there must be at least one key, {got}")
        expect(params["softcap"] >= 0, f"softcap must not be negative, got {params['softcap']}")
        batch = broadcast_shape([query[:-2], key[:-2], value[:-2]])
        if len(operands) == 4:
            mask = operands[3].get_shape()
            scores = (*broadcast_shape([query[:-2], key[:-2]]), query[-2], key[-2])
            expect(
                len(mask) <= len(scores) and broadcast_shape([mask, scores]) == scores,
                f"mask must broadcast to the scores' {list(scores)}, got {list(mask)}",
            )
        return *batch, query[-2], value[-1]
