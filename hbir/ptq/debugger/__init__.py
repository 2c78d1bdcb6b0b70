"""Where a calibrated network loses accuracy: the tools of `hmct-debugger`, one per file.

    from hbir.ptq.debugger import get_sensitivity_of_nodes, plot_acc_error, ...

All take a calibrated model (a module at the qat level, a `.bc` of one, or a
`_calibrated_model.onnx`) and data (a folder of .npy files per input, or arrays). Their names,
arguments and files are those of `hmct.quantizer.debugger`.
"""

from __future__ import annotations

from hbir.ptq.debugger.get_channelwise_data_distribution import get_channelwise_data_distribution
from hbir.ptq.debugger.get_sensitivity_of_nodes import get_sensitivity_of_nodes
from hbir.ptq.debugger.plot_acc_error import plot_acc_error
from hbir.ptq.debugger.plot_distribution import plot_distribution
from hbir.ptq.debugger.runall import runall
from hbir.ptq.debugger.sensitivity_analysis import sensitivity_analysis
from hbir.ptq.debugger.tensor_analysis import tensor_analysis

__all__ = [
    "get_channelwise_data_distribution",
    "get_sensitivity_of_nodes",
    "plot_acc_error",
    "plot_distribution",
    "runall",
    "sensitivity_analysis",
    "tensor_analysis",
]
