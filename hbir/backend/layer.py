"""`Layer`: what one integer op computes, without the IR.

The schedule search, the regions, the scheduled interpreter and code generation all speak of
layers, so that none of them needs an IR to be tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from typing_extensions import override

MOVE_KINDS = frozenset({"concat", "slice", "pad", "copy"})
"""Layers that only place boxes of their inputs in their output: loads and stores do all of it."""

KERNELS = {
    "transpose": "bpu.transpose",
    "quantize": "qnt.quantize",
    "dequantize": "qnt.dequantize",
}
"""Kind → kernel, where it isn't `bpu.` + kind."""

OPCODES = {"transpose": "permute"}
"""Kind → opcode of the compute instruction, where it isn't the kind itself."""

EXTERNAL_OPERANDS = {"roi_resize": frozenset({1, 2})}
"""Kind → operands that its instruction itself reads in DDR: images whose size each run gives."""

FLOAT16_OPCODES = {
    kind: f"float_{kind}"
    for kind in ("max_pool", "reduce_max", "reduce_min", "resize2d", "grid_sample")
}
"""The same for tensors of float16: their integers' engine has none, so another one computes it."""


@dataclass(frozen=True)
class TensorSpec:
    """Shape and NumPy dtype of one operand. `constant`: its bytes are known when compiling."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    constant: bool = False

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def byte_size(self) -> int:
        """Dense size in bytes."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class Layer:
    """One op: its kind (opcode without dialect), operands in the kernel's order, and parameters.

    `params` are the kernel's keyword arguments. Two layers are equal when they compute the same
    on operands of the same form, whatever they are called.
    """

    kind: str
    inputs: tuple[TensorSpec, ...]
    output: TensorSpec
    params: Mapping[str, Any]
    name: str = ""
    key: tuple[Any, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)
    """Of `key`: layers are looked up often, and their keys are long."""

    def __post_init__(self) -> None:
        items = repr(sorted(self.params.items()))
        object.__setattr__(self, "key", (self.kind, self.inputs, self.output, items))
        object.__setattr__(self, "_hash", hash(self.key))

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and self.key == other.key

    @override
    def __hash__(self) -> int:
        return self._hash

    @property
    def kernel(self) -> str:
        """Name of the kernel in the kernel table."""
        return KERNELS.get(self.kind, f"bpu.{self.kind}")

    @property
    def opcode(self) -> str:
        """Mnemonic of its compute instruction; "copy" for layers that only move."""
        if self.kind in MOVE_KINDS:
            return "copy"
        opcodes = FLOAT16_OPCODES if self.output.dtype == np.float16 else OPCODES
        return opcodes.get(self.kind) or OPCODES.get(self.kind, self.kind)

    @property
    def moves_only(self) -> bool:
        """Whether loads and stores alone do it."""
        return self.kind in MOVE_KINDS

    @property
    def external(self) -> frozenset[int]:
        """Operands that the compute instruction reads in DDR: nothing loads them."""
        return EXTERNAL_OPERANDS.get(self.kind, frozenset())

    @property
    def groups(self) -> int:
        """Channel groups of a convolution; 1 for everything else."""
        return int(self.params.get("group_num", 1)) if self.kind == "conv2d" else 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a convolution or matmul; 0 for everything else."""
        if self.kind == "matmul":
            return prod(self.output.shape) * self.inputs[0].shape[-1]
        if self.kind != "conv2d":
            return 0
        return prod(self.output.shape) * prod(self.inputs[1].shape[1:])
