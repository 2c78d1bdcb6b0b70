"""Read and write MLIR bytecode beside xDSL's text and LLVM's mlir-opt, on the same modules.

Three modules: `adds`, 20,000 arith ops with a location each; `layers`, 20,000 hbir ops with an
origin each; `weights`, 25 MB in fifty constants. Every measurement is a process of its own, taking
the best of a few runs; the ratio of bytecode to text is of runs in turn. Exits with 1 when a bound
of ours is missed: reading many ops in a third of the text's time, reading weights in 30 ms and
writing them in 100 ms, and beyond the module's own objects no more memory than the file and 20 MB.
"objects" is what the module takes that is built op by op by xDSL's API, with no file at all: for
20,000 ops more than 20 MB by itself, which is why the bound leaves it out.

mlir-opt is C++: its time to read bytecode and write it again, start-up apart, is for orientation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ("adds", "layers", "weights")
MLIR_OPT = [*(ROOT / ".venv-mlir").glob("lib/python3*/site-packages/mlir/bin/mlir-opt")]

READ_RATIO_LIMIT = 1 / 3
WEIGHTS_READ_LIMIT_SECONDS = 0.030
WEIGHTS_WRITE_LIMIT_SECONDS = 0.100
MEMORY_ABOVE_FILE_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True)
class Cost:
    """Seconds, and bytes added to the peak resident memory."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Row:
    """One network: its files, and what it costs to read and write them."""

    network: str
    file_bytes: int
    text_bytes: int
    build: Cost
    read: Cost
    read_text: Cost
    write: Cost
    write_text: Cost
    mlir_opt_seconds: float | None

    def missed(self) -> list[str]:
        """The bounds that are missed."""
        of_reading = self.read.peak_bytes - self.build.peak_bytes - self.file_bytes
        bounds = [(of_reading <= MEMORY_ABOVE_FILE_LIMIT_BYTES, "memory")]
        if self.network == "weights":
            bounds.append((self.read.seconds <= WEIGHTS_READ_LIMIT_SECONDS, "read"))
            bounds.append((self.write.seconds <= WEIGHTS_WRITE_LIMIT_SECONDS, "write"))
        else:
            ratio = self.read.seconds / self.read_text.seconds
            bounds.append((ratio <= READ_RATIO_LIMIT, "read"))
        return [name for met, name in bounds if not met]


def _measure(action: str, network: str, folder: Path) -> Cost:
    command = [sys.executable, "-m", "benchmarks.bytecode.worker", action, network, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    return Cost(result["seconds"], result["peak_bytes"])


def _row(network: str, folder: Path) -> Row:
    print(f"measuring {network}", file=sys.stderr)
    _measure("make", network, folder)
    bytecode, text = folder / f"{network}.bc", folder / f"{network}.mlir"
    return Row(
        network,
        file_bytes=bytecode.stat().st_size,
        text_bytes=text.stat().st_size,
        build=_measure("build", network, folder),
        read=_measure("read-bytecode", network, folder),
        read_text=_measure("read-text", network, folder),
        write=_measure("write-bytecode", network, folder),
        write_text=_measure("write-text", network, folder),
        mlir_opt_seconds=_mlir_opt_seconds(bytecode),
    )


def _mlir_opt_seconds(path: Path) -> float | None:
    """mlir-opt's time to read and write bytecode beyond that for an empty file."""
    if not MLIR_OPT:
        return None
    empty = path.with_name("empty.mlir")
    empty.write_text("module {}")
    command = [
        str(MLIR_OPT[0]),
        "--allow-unregistered-dialect",
        "--emit-bytecode",
        "-o",
        "/dev/null",
    ]
    best = {file: min(_seconds([*command, str(file)]) for _ in range(5)) for file in (empty, path)}
    return max(best[path] - best[empty], 0.0)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _table(rows: list[Row]) -> Table:
    table = Table(title="MLIR bytecode beside xDSL's text and mlir-opt")
    table.add_column("module")
    columns = (
        "file MB", "text MB", "read ms", "text ms", "ratio", "write ms", "text ms", "ratio",
        "read: MB", "above file", "objects", "text: MB above file", "mlir-opt r+w ms", "bounds",
    )  # fmt: skip
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        above = (row.read.peak_bytes - row.file_bytes) / 1e6
        text_above = (row.read_text.peak_bytes - row.text_bytes) / 1e6
        mlir_opt = row.mlir_opt_seconds
        table.add_row(
            row.network,
            f"{row.file_bytes / 1e6:.1f}",
            f"{row.text_bytes / 1e6:.1f}",
            *_pair(row.read, row.read_text),
            *_pair(row.write, row.write_text),
            f"{row.read.peak_bytes / 1e6:.0f}",
            f"{above:.0f}",
            f"{row.build.peak_bytes / 1e6:.0f}",
            f"{text_above:.0f}",
            "not there" if mlir_opt is None else f"{1e3 * mlir_opt:.0f}",
            "met" if not row.missed() else f"MISSED: {', '.join(row.missed())}",
        )
    return table


def _pair(bytecode: Cost, text: Cost) -> tuple[str, str, str]:
    ratio = bytecode.seconds / text.seconds
    return f"{1e3 * bytecode.seconds:.1f}", f"{1e3 * text.seconds:.0f}", f"{ratio:.3f}"


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 within the bounds, 1 beyond them or when a measurement failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bytecode", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="MODULE")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="hbir-bytecode-") as folder:
            rows = [_row(network, Path(folder)) for network in options.networks]
    except subprocess.CalledProcessError as failure:
        print(f"error: {failure}\n{failure.stderr}", file=sys.stderr)
        return 1
    Console(width=180).print(_table(rows))
    return 1 if any(row.missed() for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
