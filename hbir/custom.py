"""Custom ops: nodes that only your Python function knows, computed on the CPU at every level.

    # my_ops.py
    import numpy as np
    from hbir.custom import register_op

    @register_op("Swirl", domain="my.ops")
    def swirl(x, *, angle=1.0):              # arrays in the model's layout, attributes by keyword
        return np.roll(x, int(angle), axis=-1)

    # then
    hbir.custom.register_files(["my_ops.py"])
    module = hbir.onnx.export("model.onnx")  # its nodes my.ops::Swirl are CPU ops

A `.bc` or `.hbm` with such an op holds its name and the name of the file; whoever runs it registers
the file first. Files of the X3 and J5 generation (`op_implement_register`,
`op_shape_infer_register`) register as they are.
"""

from __future__ import annotations

from hbir.kernels.custom import (
    CustomOp,
    TensorInfo,
    op_implement_register,
    op_shape_infer_register,
    register_files,
    register_op,
)

__all__ = [
    "CustomOp",
    "TensorInfo",
    "op_implement_register",
    "op_shape_infer_register",
    "register_files",
    "register_op",
]
