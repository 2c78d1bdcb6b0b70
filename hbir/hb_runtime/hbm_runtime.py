"""`.hbm` in the simulator."""

from __future__ import annotations

import os

from typing_extensions import override

from hbir.hb_runtime.base import HBRuntime, refuse_packed
from hbir.hbm import Hbm
from hbir.interface import Array


class HB_HBMRuntime(HBRuntime):
    """A compiled model of one graph."""

    def __init__(self, model: str | os.PathLike[str]) -> None:
        super().__init__(model)
        self.hbm = Hbm(model)
        refuse_packed(self.model_path, len(self.hbm.graphs))
        self.graph = self.hbm.graphs[0]
        self._set_ports(self.graph.flatten_inputs, self.graph.flatten_outputs)

    @override
    def _run(self, feed: dict[str, Array]) -> dict[str, Array]:
        return self.graph.feed(feed)
