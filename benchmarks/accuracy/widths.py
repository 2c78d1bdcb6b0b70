"""How much of a calibrated network has 16 bits."""

import hbir
from hbir.dialects.qnt import ConstFakeQuantOp


def wide_count(calibrated: hbir.Module) -> int:
    """How many tensors and weights have 16 bits."""
    ops = calibrated.functions[0].operations
    return sum(isinstance(op, ConstFakeQuantOp) and op.params()["bits"] == 16 for op in ops)
