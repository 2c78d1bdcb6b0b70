"""The predictions that a fit left behind, which a test holds later compilers to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hbir import __version__
from hbir.files import write_file

RECORD = Path(__file__).with_name("predictions.json")

SLICE = ("resnet50", "mobilenet_v2", "efficientnet_lite0")
"""Graphs of the record: those that plain torch builds in a second or two."""


def write_record(bpu_ms: Mapping[str, Mapping[str, float]]) -> None:
    """Write march → graph → predicted milliseconds per frame, and the compiler's version."""
    rounded = {
        march: {graph: round(time, 5) for graph, time in times.items()}
        for march, times in bpu_ms.items()
    }
    record = {"fitted_with": f"hbir {__version__}", "bpu_ms": rounded}
    write_file(RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
