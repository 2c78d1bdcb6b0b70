"""How close integer networks stay to float, on real networks and rendered text.

python -m benchmarks.accuracy [detection] [recognition] [networks]     some minutes each
python -m benchmarks.accuracy GRU LSTM                                 rows of `networks`
python -m benchmarks.accuracy side-by-side                   beside onnxruntime, half an hour
python -m benchmarks.accuracy mnist mobilenetv2              rows of it; what is known is kept
python -m benchmarks.accuracy --markdown mnist               such rows as docs/accuracy.md has them
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.accuracy import detection, networks, recognition, side_by_side
from benchmarks.accuracy.cases import CASES

MARKDOWN = "--markdown"

TABLES: dict[str, Callable[[], Table]] = {
    "detection": detection.table,
    "recognition": recognition.table,
    "networks": networks.table,
    "side-by-side": side_by_side.table,
}


def main(arguments: list[str]) -> int:
    """Print the tables asked for, all by default; returns the exit status."""
    known = [MARKDOWN, *TABLES, *networks.NETWORKS, *CASES]
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print(f"error: no table or network {unknown[0]!r}; there are {', '.join(known)}",
              file=sys.stderr)  # fmt: skip
        return 1
    for name in [name for name in arguments if name in TABLES] or (() if arguments else TABLES):
        Console().print(TABLES[name]())
    rows = [name for name in arguments if name in networks.NETWORKS]
    if rows:
        Console().print(networks.table(rows))
    cases = [name for name in arguments if name in CASES]
    if MARKDOWN in arguments:
        print(side_by_side.markdown(cases))
    elif cases:
        Console(width=200).print(side_by_side.table(cases))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
