"""The ONNX project's reference implementation, with its known errors mended.

All of hbir that runs ONNX operators (CPU ops, constant folding while importing) gets its evaluator
here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hbir.kernels.types import Array

if TYPE_CHECKING:
    from onnx import ModelProto


def evaluator(model: ModelProto | bytes) -> Any:
    """An `onnx.reference.ReferenceEvaluator` of `model`.

    Raises whatever it raises for operators or versions it doesn't know.
    """
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model, new_ops=list(_mended()))


@lru_cache(maxsize=1)
def _mended() -> tuple[Any, ...]:
    from onnx.reference.op_run import OpRun
    from onnx.reference.ops.op_grid_sample import GridSample as Sample

    GridSample: Any = Sample  # ships no types

    def run(self: Any, x: Array, **attributes: Any) -> tuple[Array]:
        return (local_response_normalization(x, **attributes),)

    def sample(self: Any, x: Array, grid: Array, mode: str = "linear", **more: Any) -> Any:
        names = {"bilinear": "linear", "bicubic": "cubic"}
        return GridSample._run(self, x, grid, mode=names.get(mode, mode), **more)

    def normalize(self: Any, x: Array, axis: int = -1, p: int = 2) -> tuple[Array]:
        return (lp_normalization(x, axis=axis, p=p),)

    return (
        # onnx 1.23 sums over channels for the first N channels only, N being the batch.
        type("LRN", (OpRun,), {"op_domain": "", "_run": run}),
        # It knows the modes by their names since opset 20 alone.
        type("GridSample", (GridSample,), {"op_domain": "", "_run": sample}),
        # It sums values, not magnitudes, so p = 1 can divide by less than nothing.
        type("LpNormalization", (OpRun,), {"op_domain": "", "_run": normalize}),
    )


def local_response_normalization(
    x: Array, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int
) -> Array:
    """x / (bias + alpha/size · Σ x²)^beta, the sum over `size` channels around each.

    x: (N, C, ...), float32. As the ONNX specification defines LRN: channels from
    c − ⌊(size − 1)/2⌋ to c + ⌈(size − 1)/2⌉.
    """
    squares: Array = np.square(x.astype(np.float64))
    sums: Array = np.cumsum(np.insert(squares, 0, 0, axis=1), axis=1)
    channels: Array = np.arange(int(x.shape[1]))
    first = np.maximum(channels - (size - 1) // 2, 0)
    last = np.minimum(channels + size // 2 + 1, x.shape[1])
    window: Array = sums[:, last] - sums[:, first]
    return (x / (bias + alpha / size * window) ** beta).astype(x.dtype)


def lp_normalization(x: Array, *, axis: int, p: int) -> Array:
    """x / (Σ |x|^p)^(1/p) along `axis`; 0 where the norm is 0. p: 1 or 2, as ONNX defines it."""
    magnitudes: Array = np.abs(x.astype(np.float64))
    norm: Array = (magnitudes**p).sum(axis=axis, keepdims=True) ** (1 / p)
    return (x / np.where(norm == 0, 1.0, norm)).astype(x.dtype)
