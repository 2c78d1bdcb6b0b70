"""Convolution, transposed convolution, linear and matmul."""

from __future__ import annotations

from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.dialects.hbir.linear import LinearOp, MatmulOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.types import shape_of
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.gemm import GemmOp, products_per_output
from hbir.passes.graph import defined_by, is_constant

MAX_PRODUCTS = 32768
"""128 · 127 · 32768 < 2^29, which with bias and residual (parameters.BIAS_LIMIT, RESIDUAL_LIMIT)
stays inside the 32-bit accumulator whatever the weights."""

MATMUL_MAX_PRODUCTS = 65535
"""256 · 128 · 65536 = 2^31 with a zero point on the left; 2^16 · 2^15 · 65536 = 2^47 for int16."""


def constraint_constant_weights(op: GemmOp) -> str | None:
    """Weights and bias must be constants.

    Export the weights as constants; for a product of two activations use MatMul.
    """
    fake_quant = defined_by(op.w, ConstFakeQuantOp)
    if not is_constant(op.w if fake_quant is None else fake_quant.x):
        return "the weights are computed"
    if op.bias is not None and not is_constant(op.bias):
        return "the bias is computed"
    return None


def constraint_products(op: GemmOp) -> str | None:
    """An output element may sum at most 32768 products, so that 32 bits always hold the sum.

    Split the input channels over several layers and add their results.
    """
    count = products_per_output(op)
    return f"this one sums {count}" if count > MAX_PRODUCTS else None


def constraint_matmul_activation(op: MatmulOp) -> str | None:
    """At least one operand of a matmul must be an activation.

    Fold the constants before export; the product is known.
    """
    return "both are constants" if is_constant(op.lhs) and is_constant(op.rhs) else None


def constraint_matmul_products(op: MatmulOp) -> str | None:
    """An element of a matmul may sum at most 65535 products, so that the accumulator always holds
    the sum.

    Split the summed axis over several matmuls and add their results.
    """
    count = shape_of(op.lhs)[-1]
    return f"this one sums {count}" if count > MATMUL_MAX_PRODUCTS else None


GEMM = (constraint_constant_weights, constraint_products)

CONSTRAINTS: ConstraintTable = {
    Conv2dOp: GEMM,
    ConvTransposeOp: GEMM,
    LinearOp: GEMM,
    MatmulOp: (
        constraint_float_data,
        constraint_matmul_activation,
        constraint_matmul_products,
    ),
}
