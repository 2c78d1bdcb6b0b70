"""What a node of the exported graph stands for while it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.ir.types import Array, dtype_of, shape_of

Value: TypeAlias = Array | SSAValue
"""A constant, or a value of the IR."""


@dataclass(frozen=True)
class Operand:
    """A tensor that a node reads: what it is, and the name of the source tensor."""

    value: Array | SSAValue
    name: str

    @property
    def known(self) -> Array | None:
        """The array of a constant."""
        return self.value if isinstance(self.value, np.ndarray) else None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the source layout."""
        return self.value.shape if isinstance(self.value, np.ndarray) else shape_of(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.value.dtype if isinstance(self.value, np.ndarray) else dtype_of(self.value)


def array_of(tensor: torch.Tensor, what: str) -> Array:
    """A tensor's elements, without a copy where torch holds them densely on the CPU.

    Raises HbirError for element types that NumPy lacks, and for sparse and quantized tensors.
    """
    plain = tensor.detach()
    if plain.layout is not torch.strided or plain.is_quantized:
        raise HbirError(f"{what} is {plain.layout}, expected a dense tensor")
    if plain.dtype == torch.bfloat16:
        raise HbirError(f"{what} is bfloat16, expected float32: export module.float()")
    try:
        return plain.cpu().resolve_conj().resolve_neg().numpy()
    except (TypeError, RuntimeError) as error:
        raise HbirError(f"{what} of type {plain.dtype} has no NumPy form: {error}") from error


def numpy_dtype(dtype: torch.dtype, what: str) -> np.dtype[Any]:
    """The NumPy dtype of a torch dtype. Raises HbirError when there is none."""
    return array_of(torch.empty(0, dtype=dtype), what).dtype
