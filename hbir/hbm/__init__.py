"""The .hbm container (layout, writer, reader), and `Hbm`, a compiled model as users hold it."""

from __future__ import annotations

from hbir.hbm.hbm import Graph, Hbm

__all__ = ["Graph", "Hbm"]
