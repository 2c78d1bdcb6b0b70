"""The modelled machines: one data file per march, and the loader that reads it."""

from hbir.backend.march.machine import (
    DEFAULT_ENGINES,
    ENGINES,
    FLOAT16_OPCODES,
    Machine,
    Provenance,
)
from hbir.backend.march.march import March, forget_marches, load_march

__all__ = [
    "DEFAULT_ENGINES",
    "ENGINES",
    "FLOAT16_OPCODES",
    "Machine",
    "March",
    "Provenance",
    "forget_marches",
    "load_march",
]
