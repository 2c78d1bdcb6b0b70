"""Elementary functions of each element: arithmetic, roots, logarithms, trigonometry.

Outside a function's domain the result is nan, at its poles infinite.
"""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from hbir.dialects.hbir.base import UnaryOp
from hbir.dialects.properties import int_property


@irdl_op_definition
class AbsOp(UnaryOp):
    """|x|."""

    name = "hbir.abs"


@irdl_op_definition
class NegOp(UnaryOp):
    """−x."""

    name = "hbir.neg"


@irdl_op_definition
class SignOp(UnaryOp):
    """−1, 0 or 1."""

    name = "hbir.sign"


@irdl_op_definition
class FloorOp(UnaryOp):
    """The largest integer not above x."""

    name = "hbir.floor"


@irdl_op_definition
class CeilOp(UnaryOp):
    """The smallest integer not below x."""

    name = "hbir.ceil"


@irdl_op_definition
class RoundOp(UnaryOp):
    """The nearest multiple of 10^−decimals, halves to the even one."""

    name = "hbir.round"

    decimals = int_property(0)


@irdl_op_definition
class SqrtOp(UnaryOp):
    """√x."""

    name = "hbir.sqrt"


@irdl_op_definition
class RsqrtOp(UnaryOp):
    """1 / √x; inf at 0."""

    name = "hbir.rsqrt"


@irdl_op_definition
class LogOp(UnaryOp):
    """The natural logarithm; −inf at 0."""

    name = "hbir.log"


@irdl_op_definition
class ErfOp(UnaryOp):
    """The error function, 2/√π · ∫₀ˣ exp(−t²) dt."""

    name = "hbir.erf"


@irdl_op_definition
class SinOp(UnaryOp):
    """The sine."""

    name = "hbir.sin"


@irdl_op_definition
class CosOp(UnaryOp):
    """The cosine."""

    name = "hbir.cos"


@irdl_op_definition
class TanOp(UnaryOp):
    """The tangent."""

    name = "hbir.tan"


@irdl_op_definition
class SinhOp(UnaryOp):
    """The hyperbolic sine."""

    name = "hbir.sinh"


@irdl_op_definition
class CoshOp(UnaryOp):
    """The hyperbolic cosine."""

    name = "hbir.cosh"


@irdl_op_definition
class AsinOp(UnaryOp):
    """The arc sine, −π/2…π/2, of x in −1…1."""

    name = "hbir.asin"


@irdl_op_definition
class AcosOp(UnaryOp):
    """The arc cosine, 0…π, of x in −1…1."""

    name = "hbir.acos"


@irdl_op_definition
class AtanOp(UnaryOp):
    """The arc tangent, −π/2…π/2."""

    name = "hbir.atan"


@irdl_op_definition
class AsinhOp(UnaryOp):
    """The inverse hyperbolic sine."""

    name = "hbir.asinh"


@irdl_op_definition
class AcoshOp(UnaryOp):
    """The inverse hyperbolic cosine of x ≥ 1."""

    name = "hbir.acosh"


@irdl_op_definition
class AtanhOp(UnaryOp):
    """The inverse hyperbolic tangent of x in −1…1; infinite at the ends."""

    name = "hbir.atanh"
