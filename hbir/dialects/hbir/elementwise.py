"""Element-wise ops of two tensors, with broadcasting."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import broadcast_shape
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property
from hbir.ir.op import Operands, Params, Shape


class BinaryOp(FloatOp):
    """A function of the elements of two f32 tensors whose shapes broadcast by NumPy's rules."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])


@irdl_op_definition
class AddOp(BinaryOp):
    """lhs + rhs."""

    name = "hbir.add"


@irdl_op_definition
class SubOp(BinaryOp):
    """lhs − rhs."""

    name = "hbir.sub"


@irdl_op_definition
class MulOp(BinaryOp):
    """lhs · rhs."""

    name = "hbir.mul"


@irdl_op_definition
class DivOp(BinaryOp):
    """lhs / rhs; division by zero gives ±inf or nan as in IEEE 754."""

    name = "hbir.div"


@irdl_op_definition
class MaxOp(BinaryOp):
    """The greater of lhs and rhs; nan if either is."""

    name = "hbir.max"


@irdl_op_definition
class MinOp(BinaryOp):
    """The lesser of lhs and rhs; nan if either is."""

    name = "hbir.min"


@irdl_op_definition
class PowOp(BinaryOp):
    """lhs to the power rhs; nan for a negative lhs where rhs isn't whole."""

    name = "hbir.pow"


@irdl_op_definition
class ModOp(BinaryOp):
    """The remainder of lhs / rhs; nan where rhs is 0.

    Of the quotient rounded towards 0, so that it has lhs's sign; without `sameSignAsDividend` of
    the quotient rounded down, so that it has rhs's.
    """

    name = "hbir.mod"

    same_sign_as_dividend = bool_property(True, "sameSignAsDividend")
