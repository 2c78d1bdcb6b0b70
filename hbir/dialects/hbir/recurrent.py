"""Recurrent layers, one direction each, as frontends make them; `decompose-*` passes unroll them.

Not among the published ops: the vendor's exporters unroll while exporting. x is (T, N, I), time
first; states are (N, H). Gates stand beside one another in the columns of the weights, in ONNX's
order. With `reverse`, time runs from the last step to the first; the result's step t is still the
one that has read x[t].
"""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect, expect_one_of, expect_rank
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, string_property
from hbir.ir.op import Operands, Params, Shape

ACTIVATIONS = ("tanh", "relu")


class RecurrentOp(FloatOp):
    """One direction of a recurrent layer."""

    GATES: ClassVar[int]
    """Columns of the weights per hidden unit."""

    STATES: ClassVar[tuple[str, ...]] = ("h0",)
    """The operands, at the end, that are states."""

    OUTPUTS: ClassVar[int] = 1
    """Columns of the result per hidden unit."""

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        names = [name for name, _ in cls.get_irdl_definition().operands]
        shapes = {name: operand.get_shape() for name, operand in zip(names, operands, strict=True)}
        steps, batch, inputs = expect_rank(operands[0], "x", 3, "(T, N, I)")
        expect(steps >= 1, "x must have at least one step")
        _, hidden = expect_rank(operands[names.index("h0")], "h0", 2, "(N, H)")
        columns = cls.GATES * hidden
        wanted: dict[str, tuple[int, ...]] = {"w": (inputs, columns), "r": (hidden, columns)}
        wanted |= {name: (columns,) for name in names if name.endswith("bias")}
        wanted |= dict.fromkeys(cls.STATES, (batch, hidden))
        for name, shape in wanted.items():
            expect(
                shapes[name] == shape,
                f"{name} must be of shape {list(shape)} for x of shape {list(shapes['x'])} and"
                f" {hidden} hidden units, got {list(shapes[name])}",
            )
        return steps, batch, cls.OUTPUTS * hidden


@irdl_op_definition
class LstmOp(RecurrentOp):
    """An LSTM. w: (I, 4H), r: (H, 4H), bias: (4H), columns i, o, f, c.

    i, o, f = sigmoid(x·w + h·r + bias), c' = f∘c + i∘tanh(x·w + h·r + bias), h' = o∘tanh(c').
    The result (T, N, 2H) has h in its first H columns and c in the others.
    """

    name = "hbir.lstm"
    GATES: ClassVar[int] = 4
    STATES: ClassVar[tuple[str, ...]] = ("h0", "c0")
    OUTPUTS: ClassVar[int] = 2

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    r = operand_def(TensorType)
    bias = operand_def(TensorType)
    h0 = operand_def(TensorType)
    c0 = operand_def(TensorType)
    reverse = bool_property(False)
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $w `,` $r `,` $bias `,` $h0 `,` $c0 attr-dict `:` "
        "functional-type(operands, results)"
    )


@irdl_op_definition
class GruOp(RecurrentOp):
    """A GRU. w: (I, 3H), r: (H, 3H), bias, recurrent_bias: (3H), columns z, r, h.

    z, r = sigmoid(x·w + bias + h·r + recurrent_bias); the candidate is tanh(x·w + bias + r∘(h·r +
    recurrent_bias)) with linearBeforeReset, else tanh(x·w + bias + (r∘h)·r + recurrent_bias);
    h' = (1 − z)∘candidate + z∘h. The result (T, N, H) is h of each step.
    """

    name = "hbir.gru"
    GATES: ClassVar[int] = 3

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    r = operand_def(TensorType)
    bias = operand_def(TensorType)
    recurrent_bias = operand_def(TensorType)
    h0 = operand_def(TensorType)
    linear_before_reset = bool_property(True, "linearBeforeReset")
    reverse = bool_property(False)
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $w `,` $r `,` $bias `,` $recurrent_bias `,` $h0 attr-dict `:` "
        "functional-type(operands, results)"
    )


@irdl_op_definition
class RnnOp(RecurrentOp):
    """A plain recurrent layer. w: (I, H), r: (H, H), bias: (H).

    h' = activation(x·w + h·r + bias), activation being "tanh" or "relu". The result (T, N, H) is h
    of each step.
    """

    name = "hbir.rnn"
    GATES: ClassVar[int] = 1

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    r = operand_def(TensorType)
    bias = operand_def(TensorType)
    h0 = operand_def(TensorType)
    activation = string_property("tanh")
    reverse = bool_property(False)
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $w `,` $r `,` $bias `,` $h0 attr-dict `:` functional-type(operands, results)"
    )

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["activation"], ACTIVATIONS, "activation")
        return super().infer_shape(operands, params)
