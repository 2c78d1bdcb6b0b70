"""What the runtimes of all kinds of model have in common: their interface and its rules."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from typing_extensions import override

from hbir.errors import HbirError
from hbir.files import SuffixError
from hbir.interface import Argument, Array, QuantInfo, as_array, check_names

Shape = tuple[int | None, ...]
"""None stands for an extent that the model leaves open."""

_HOMES = {
    ".onnx": ("hbir.hb_runtime.onnx_runtime", "HB_ONNXRuntime"),
    ".bc": ("hbir.hb_runtime.hbir_runtime", "HB_HBIRRuntime"),
    ".mlir": ("hbir.hb_runtime.hbir_runtime", "HB_HBIRRuntime"),
    ".hbm": ("hbir.hb_runtime.hbm_runtime", "HB_HBMRuntime"),
}
"""Suffix → the module and class that run such a file."""

BYTES = (np.dtype(np.uint8), np.dtype(np.int8))
"""What an input of either type takes, and a float one as well."""


class HBRuntime:
    """A model file ready to be run; `HBRuntime(path)` makes the one for its suffix.

    Raises HbirError for a file that isn't such a model, and for one of several models.
    """

    input_names: list[str]
    output_names: list[str]
    input_shapes: list[Shape]
    output_shapes: list[Shape]
    input_maxima: list[tuple[int, ...]] | None = None
    """Shapes with the largest extents; None where the model says none."""
    input_types: list[np.dtype[Any]]
    output_types: list[np.dtype[Any]]
    input_quants: list[QuantInfo]
    output_quants: list[QuantInfo]

    def __new__(cls, model: str | os.PathLike[str]) -> Self:
        """The runtime of the file's kind."""
        if cls is not HBRuntime:
            return super().__new__(cls)
        suffix = Path(model).suffix
        if suffix not in _HOMES:
            raise SuffixError(f"{model}: expected a .onnx, .bc, .mlir or .hbm file")
        module, name = _HOMES[suffix]
        kind: type[Self] = getattr(importlib.import_module(module), name)
        return super().__new__(kind)

    def __init__(self, model: str | os.PathLike[str]) -> None:
        self.model_path = str(model)

    @property
    def input_num(self) -> int:
        """How many inputs there are."""
        return len(self.input_names)

    @property
    def output_num(self) -> int:
        """How many outputs there are."""
        return len(self.output_names)

    @property
    def input_layouts(self) -> list[str]:
        """`NCHW` or `NHWC` of each input that looks like an image, else an empty text."""
        return [layout_of(shape) for shape in self.input_shapes]

    @property
    def layout(self) -> str:
        """The layout of the first input that looks like an image; empty where none does."""
        return next(filter(None, self.input_layouts), "")

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any]) -> list[Array]:
        """The outputs of those names (None: all) on name → array, in that order.

        A float input takes float32, uint8 and int8 arrays, an int8 or uint8 input either; others
        take their own dtype. Raises HbirError for wrong names, shapes or dtypes.
        """
        wanted = list(self.output_names if output_names is None else output_names)
        if isinstance(output_names, str):
            wanted = [output_names]
        for name in wanted:
            if name not in self.output_names:
                raise HbirError(
                    f"{self.model_path}: no output {name!r}; it has {', '.join(self.output_names)}"
                )
        results = self._run(self.bound(input_feed))
        return [results[name] for name in wanted]

    def bound(self, input_feed: Mapping[str, Any]) -> dict[str, Array]:
        """The arrays of a feed as the model takes them. Raises as `run`."""
        check_names(self.model_path, self.input_names, input_feed)
        ports = zip(self.input_names, self.input_shapes, self.input_types, strict=True)
        return {
            name: self._bound(name, shape, dtype, input_feed[name]) for name, shape, dtype in ports
        }

    def _bound(self, name: str, shape: Shape, dtype: np.dtype[Any], value: Any) -> Array:
        array = as_array(self.model_path, name, value)
        fits = array.ndim == len(shape) and all(
            wanted in (None, extent) for wanted, extent in zip(shape, array.shape, strict=True)
        )
        if not fits:
            text = ["?" if extent is None else extent for extent in shape]
            raise HbirError(
                f"{self.model_path}: input {name!r} has shape {list(array.shape)}, expected"
                f" [{', '.join(map(str, text))}]"
            )
        if array.dtype == dtype:
            return array
        taken = BYTES if dtype.kind == "f" or dtype in BYTES else ()
        if array.dtype not in taken:
            names = ", ".join(str(d) for d in dict.fromkeys((dtype, *taken)))
            raise HbirError(
                f"{self.model_path}: input {name!r} has dtype {array.dtype}, expected {names}"
            )
        cast: Array = array.astype(dtype)
        if not np.array_equal(cast, array.astype(np.int16)):
            raise HbirError(
                f"{self.model_path}: input {name!r} is {dtype}, the {array.dtype} array given holds"
                " numbers beyond its range"
            )
        return cast

    @abstractmethod
    def _run(self, feed: dict[str, Array]) -> dict[str, Array]:
        """All outputs on arrays that fit the inputs."""
        raise NotImplementedError

    def _set_ports(self, inputs: Sequence[Argument], outputs: Sequence[Argument]) -> None:
        self.input_names = [port.name for port in inputs]
        self.output_names = [port.name for port in outputs]
        self.input_shapes = [port.type.run_shape for port in inputs]
        self.input_maxima = [port.type.shape for port in inputs]
        self.output_shapes = [port.type.shape for port in outputs]
        self.input_types = [port.type.np_dtype for port in inputs]
        self.output_types = [port.type.np_dtype for port in outputs]
        self.input_quants = [port.type.quant_info for port in inputs]
        self.output_quants = [port.type.quant_info for port in outputs]

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model_path!r})"


CHANNELS = (1, 3)
"""Of an image."""


def layout_of(shape: Shape) -> str:
    """`NCHW` or `NHWC` of a shape whose channels can be told; the former where both could be."""
    if len(shape) != 4:
        return ""
    if shape[1] in CHANNELS:
        return "NCHW"
    return "NHWC" if shape[3] in CHANNELS else ""


def refuse_packed(path: str, count: int) -> None:
    """Raises HbirError for a file of several models, and of none."""
    if count > 1:
        raise HbirError(f"Input model {path} is a packed model and is not supported now.")
    if count == 0:
        raise HbirError(f"{path}: has no function to run")
