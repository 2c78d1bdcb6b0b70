"""The pipeline behind `hb_compile`: one phase per file, in the order of `pipeline.PHASES`."""

from __future__ import annotations

from hbir.ptq.build.pipeline import Built, build
from hbir.ptq.build.recompile import Recompilation, Recompiled, recompilation, recompile

__all__ = ["Built", "Recompilation", "Recompiled", "build", "recompilation", "recompile"]
