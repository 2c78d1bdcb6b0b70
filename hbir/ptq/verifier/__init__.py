"""Two models of any stages side by side, on the same inputs: outputs, and every tensor by name.

from hbir.ptq.verifier import verify
found = verify("model_optimized_float_model.onnx", "model_quantized_model.bc")
print(found.text())
"""

from __future__ import annotations

from hbir.ptq.verifier.verify import Verification, verify

__all__ = ["Verification", "verify"]
