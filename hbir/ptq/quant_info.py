"""What `_quant_info.json` holds: the range, scale and type of every tensor of a qat module."""

from __future__ import annotations

from typing import Any

from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.origin import name_of
from hbir.module import Module
from hbir.passes.fake_quant import quantization_of


def quant_info_of(module: Module) -> dict[str, Any]:
    """Tensor → min, max, scale, zero_point and dtype, of a qat module's fake-quants.

    The names are the source tensors'; a tensor that readers take in two widths has its second
    under `name:int8`.
    """
    found: dict[str, Any] = {}
    for op in module.functions[0].operations:
        if not isinstance(op, ConstFakeQuantOp):
            continue
        quantization = quantization_of(op)
        if quantization is None:
            continue
        params = op.params()
        name = name_of(op.output, "?")
        key = name if name not in found else f"{name}:int{quantization.bits}"
        found[key] = {
            "min": float(params["min"][0]),
            "max": float(params["max"][0]),
            "scale": quantization.scale,
            "zero_point": quantization.zero_point,
            "dtype": f"int{quantization.bits}",
        }
    return found
