"""`.bc` and `.mlir` in hbir's interpreters, whatever their level."""

from __future__ import annotations

import os

from typing_extensions import override

from hbir.api import load
from hbir.hb_runtime.base import HBRuntime, refuse_packed
from hbir.interface import Array
from hbir.module import Module

FAKE_QUANT = "qnt.const_fake_quant"


class HB_HBIRRuntime(HBRuntime):
    """A module of any level."""

    def __init__(self, model: str | os.PathLike[str]) -> None:
        super().__init__(model)
        self.module: Module = load(model)
        functions = self.module.functions
        refuse_packed(self.model_path, len(functions))
        self.function = functions[0]
        self._set_ports(self.function.flatten_inputs, self.function.flatten_outputs)

    @property
    def current_phase(self) -> str | None:
        """`export` for a module with fake-quants, else None: how the vendor's tools tell them."""
        return "export" if any(op.name == FAKE_QUANT for op in self.module.op.walk()) else None

    @override
    def _run(self, feed: dict[str, Array]) -> dict[str, Array]:
        return self.function.feed(feed)
