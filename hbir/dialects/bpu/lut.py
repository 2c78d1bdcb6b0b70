"""A function of one element, as a table."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from hbir.dialects.bpu.base import ACTIVATIONS, WITH_FLOAT, expect_elements, expect_table
from hbir.dialects.checks import expect
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import F16, SI8, SI16, SI32, AnyTensor, element_of, tensor_type
from hbir.kernels.lut_tables import SEGMENT_COLUMNS, SEGMENTS_MAX


@irdl_op_definition
class LutOp(TensorOp):
    """y = table[x + 128], or for si16 x a line between two of the table's knots.

    x: si8 of any shape; table: (256) si8 or si16, which is also the result's element type.
    x: si16 of any shape; table: (N, 67) si32, N <= 64 segments in rising order, of which a row is
    the first code, the shift s, and 65 knots in 2^-8 steps of the result, 2^s codes apart. With
    k, f = divmod(x − first, 2^s) in the last segment whose first code is <= x,
    y = sat((knot[k]·2^s + (knot[k+1] − knot[k])·f + 2^(s+7)) >> (s + 8)), si8 or si16.
    Where x or the result is f16: y = table[x + 128] for si8 x, else y = table[bits of x] with an
    entry for each of the 65536; the table has the result's element type.
    """

    name = "bpu.lut"

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    ELEMENTS: ClassVar = WITH_FLOAT
    PASSES_DTYPE: ClassVar = True

    x = operand_def(TensorType)
    table = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $table attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, table = operands
        if x.get_element_type() == SI8:
            expect_table(table, "table", (256,))
            return x.get_shape()
        if not _is_segmented(x, table):
            expect_table(table, "table", (1 << 16,))
            return x.get_shape()
        shape = tuple(table.get_shape())
        expect(
            len(shape) == 2 and 1 <= shape[0] <= SEGMENTS_MAX and shape[1] == SEGMENT_COLUMNS,
            f"table must have shape [N, {SEGMENT_COLUMNS}] with N in 1..{SEGMENTS_MAX} for si16 x,"
            f" got {list(shape)}",
        )
        return x.get_shape()

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        x, table = operands
        expect_elements(cls, [x], (WITH_FLOAT,))
        if _is_segmented(x, table):
            expect_elements(cls, operands, (ACTIVATIONS, (SI32,)))
            return None
        expect_elements(cls, operands, (WITH_FLOAT, WITH_FLOAT))
        return table.get_element_type()

    @override
    def verify_(self) -> None:
        super().verify_()
        if _is_segmented(*map(tensor_type, self.operands)) and element_of(self.result) == F16:
            raise VerifyException("segments give si8 or si16; a table of f16 has 65536 entries")


def _is_segmented(x: AnyTensor, table: AnyTensor) -> bool:
    """Whether the table holds the segments of an si16 operand."""
    return x.get_element_type() == SI16 and table.get_element_type() != F16
