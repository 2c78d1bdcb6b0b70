"""`HBRuntime`: one way to run a model of any stage, with the vendor API's names.

    from hbir.hb_runtime import HBRuntime
    session = HBRuntime("model.onnx")            # or .bc, .mlir, .hbm
    (logits,) = session.run(None, {session.input_names[0]: image})

An .onnx runs in onnxruntime (or, where that isn't installed, in hbir's interpreter), a .bc in the
interpreter, an .hbm in the simulator.
"""

from __future__ import annotations

from hbir.hb_runtime.base import HBRuntime
from hbir.hb_runtime.hbir_runtime import HB_HBIRRuntime
from hbir.hb_runtime.hbm_runtime import HB_HBMRuntime
from hbir.hb_runtime.onnx_runtime import HB_ONNXRuntime

__all__ = ["HBRuntime", "HB_HBIRRuntime", "HB_HBMRuntime", "HB_ONNXRuntime"]
