"""Time `quantized.bc` to `.hbm` beside `vela` on the same topologies, both as whole commands.

The two alternate, network by network and repeat by repeat, in one run on one machine, so that a
slow spell hits both. Printed per network: median seconds of each, the ratio of the medians, and the
peak resident memory of each. hbir's modules are compiled to Python's bytecode first, as pip leaves
vela's. Exits with 1 when the ratio is above 1 or hbir's peak reaches 1 GB.

Without vela's input files only hbir's half is timed, and the table says so.
"""

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compile.measure import CommandFailed, Run, measure
from benchmarks.compile.vela import (
    ENVIRONMENT,
    MODELS,
    ROOT,
    VELA_MODELS_VARIABLE,
    vela_arguments,
    vela_command,
)

NETWORKS = ("resnet50", "mobilenetv2")
RATIO_LIMIT = 1.0
PEAK_LIMIT_BYTES = 10**9


@dataclass
class Comparison:
    """All runs of one network; `vela` stays empty when the peer isn't timed."""

    network: str
    hbir: list[Run] = field(default_factory=list[Run])
    vela: list[Run] = field(default_factory=list[Run])

    @property
    def ratio(self) -> float | None:
        """hbir's median time over vela's; None when vela wasn't timed."""
        return _median_seconds(self.hbir) / _median_seconds(self.vela) if self.vela else None

    @property
    def within_limits(self) -> bool:
        in_time = self.ratio is None or self.ratio <= RATIO_LIMIT
        return in_time and _peak_bytes(self.hbir) < PEAK_LIMIT_BYTES


def _median_seconds(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _peak_bytes(runs: list[Run]) -> int:
    return max(run.peak_bytes for run in runs)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compile", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=5, help="runs of each command (default 5)")
    parser.add_argument("--march", default="nash-e")
    parser.add_argument("--opt", type=int, choices=(0, 1, 2), default=2, help="hbir's -O level")
    parser.add_argument(
        "--vela-models",
        type=Path,
        default=MODELS,
        help=f"folder of NAME.int8.tflite (${VELA_MODELS_VARIABLE}, else ../shared/data/vela)",
    )
    parser.add_argument(
        "--vela-environment",
        type=Path,
        default=ENVIRONMENT,
        help="virtual environment of vela, made when absent (default: .venv-vela)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / "build" / "benchmarks" / "compile",
        help="scratch folder",
    )
    parser.add_argument(
        "--reuse", action="store_true", help="take the quantized.bc files of the last run"
    )
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}: it must be at least 1")
    return options


def _quantized(options: argparse.Namespace, network: str) -> Path:
    """`quantized.bc` of `network`, made by a process of its own unless `--reuse` finds it."""
    path = Path(options.work, f"{network}.quantized.bc")
    if not (options.reuse and path.exists()):
        print(f"making {path.name}", file=sys.stderr)
        maker = [sys.executable, "-m", "benchmarks.compile.networks"]
        subprocess.run([*maker, network, str(path), options.march], check=True, cwd=ROOT)
    return path


def _vela_models(options: argparse.Namespace) -> dict[str, Path]:
    """The peer's input file of each network, or none, with the reason on stderr."""
    models = {name: Path(options.vela_models, f"{name}.int8.tflite") for name in options.networks}
    missing = [str(path) for path in models.values() if not path.is_file()]
    if not missing:
        return models
    print(
        f"vela is not timed: no {', '.join(missing)}; give their folder with --vela-models or "
        f"${VELA_MODELS_VARIABLE}",
        file=sys.stderr,
    )
    return {}


def _hbir_arguments(options: argparse.Namespace, source: Path) -> list[str]:
    command = str(Path(sys.executable).parent / "hbir-compile")
    output = source.with_name(f"{source.name.split('.')[0]}.hbm")
    return [command, str(source), "-o", str(output), "--march", options.march, f"-O{options.opt}"]


def compare(options: argparse.Namespace) -> list[Comparison]:
    """Run everything; raises CommandFailed or CalledProcessError when a command fails."""
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "hbir")], check=True)
    sources = {network: _quantized(options, network) for network in options.networks}
    vela_models = _vela_models(options)
    vela = vela_command(options.vela_environment) if vela_models else ""
    comparisons = {network: Comparison(network) for network in options.networks}
    for repeat in range(options.repeats):
        for network, comparison in comparisons.items():
            print(f"run {repeat + 1}/{options.repeats}: {network}", file=sys.stderr)
            hbir = _hbir_arguments(options, sources[network])
            comparison.hbir.append(measure(hbir, work / f"{network}.hbir.log"))
            if vela_models:
                peer = vela_arguments(vela, vela_models[network], work / "vela")
                comparison.vela.append(measure(peer, work / f"{network}.vela.log"))
    return list(comparisons.values())


def _table(comparisons: list[Comparison], options: argparse.Namespace) -> Table:
    table = Table(
        title=f"quantized.bc to .hbm, {options.march} -O{options.opt}, "
        f"median of {options.repeats} runs"
    )
    table.add_column("network")
    for column in ("hbir s", "vela s", "ratio", "hbir peak MB", "vela peak MB", "limits"):
        table.add_column(column, justify="right")
    for comparison in comparisons:
        vela = comparison.vela
        ratio = comparison.ratio
        table.add_row(
            comparison.network,
            f"{_median_seconds(comparison.hbir):.2f}",
            f"{_median_seconds(vela):.2f}" if vela else "not timed",
            "-" if ratio is None else f"{ratio:.2f}",
            f"{_peak_bytes(comparison.hbir) / 1e6:.0f}",
            f"{_peak_bytes(vela) / 1e6:.0f}" if vela else "-",
            "met" if comparison.within_limits else "MISSED",
        )
    return table


def _write_json(comparisons: list[Comparison], path: Path) -> None:
    rows = [
        {
            "network": comparison.network,
            "hbir": [{"seconds": r.seconds, "peak_bytes": r.peak_bytes} for r in comparison.hbir],
            "vela": [{"seconds": r.seconds, "peak_bytes": r.peak_bytes} for r in comparison.vela],
            "ratio": comparison.ratio,
        }
        for comparison in comparisons
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 within the limits, 1 beyond them or when a command failed."""
    options = _parse(arguments)
    try:
        comparisons = compare(options)
    except (CommandFailed, subprocess.CalledProcessError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    Console().print(_table(comparisons, options))
    print(f"limits: ratio at most {RATIO_LIMIT:g}, hbir peak below {PEAK_LIMIT_BYTES / 1e6:.0f} MB")
    if options.json:
        _write_json(comparisons, options.json)
    return 0 if all(comparison.within_limits for comparison in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
