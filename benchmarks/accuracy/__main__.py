"""How close integer networks stay to float, on real networks and rendered text.

python -m benchmarks.accuracy [detection] [recognition]            some minutes each
"""

from __future__ import annotations

import sys

from rich.console import Console

from benchmarks.accuracy import detection, recognition

TABLES = {"detection": detection.table, "recognition": recognition.table}


def main() -> int:
    """Print the tables asked for, all by default; returns the exit status."""
    names = sys.argv[1:] or list(TABLES)
    unknown = sorted(set(names) - set(TABLES))
    if unknown:
        print(f"error: no table {unknown[0]!r}; there are {', '.join(TABLES)}", file=sys.stderr)
        return 1
    for name in names:
        Console().print(TABLES[name]())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
