"""The board's Python runtime, on a laptop: `HB_HBMRuntime` runs `.hbm` files in the simulator.

A board's script imports `hbm_runtime`; here the same name is a module of hbir, and the rest of the
script stays as it is:

    from hbir import hbm_runtime                        # on the board: import hbm_runtime
    session = hbm_runtime.HB_HBMRuntime("model.hbm")    # or a list of files
    model = session.model_names[0]
    outputs = session.run({"x_y": y, "x_uv": uv})[model]

Names, forms of calls and structures are those of the board's public manual (toolchain contract §7).
Outputs are the board's bits; scheduling parameters are checked and kept, and change no bit.
"""

from __future__ import annotations

from hbir.hbm_runtime.checks import RuntimeValueError
from hbir.hbm_runtime.runtime import HB_HBMRuntime
from hbir.hbm_runtime.types import QuantParams, SchedParam, hbDNNDataType, hbDNNQuantiType

__all__ = [
    "HB_HBMRuntime",
    "QuantParams",
    "RuntimeValueError",
    "SchedParam",
    "hbDNNDataType",
    "hbDNNQuantiType",
]
