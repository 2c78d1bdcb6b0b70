"""Fit a march's unpublished numbers to board measurements, and say how well they predict.

    python -m tools.fit_march                     # compare: a row per measurement, then quality
    python -m tools.fit_march --fit               # solve, write the march files, and compare
    python -m tools.fit_march --report docs/boards.md --record

Networks are compiled at O2 and played on the timeline, nothing else; a frame on every core, where
every core was loaded. Cross-validated errors are of rows whose family of networks took no part in
the fit that predicts them (the schedule stays that of the march file). `make venv-boards` first,
for the YOLO graphs; without it, `--slice` compares the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import hbir
from benchmarks.boards.fit import Row, launch_numbers, solve
from benchmarks.boards.graphs import CACHE, needs_ultralytics
from benchmarks.boards.measurements import MARCHES, Left, Measurement, measurements
from benchmarks.boards.predict import Prediction, compiled, predict, scaled
from benchmarks.boards.record import RECORD, SLICE, write_record
from benchmarks.boards.report import HEADER, lines_of, table
from hbir import __version__
from hbir.backend.isa.program import Program
from hbir.backend.march import Machine, forget_marches, load_march
from hbir.errors import HbirError
from hbir.files import write_file

MARCH_FOLDER = Path(__file__).parents[1] / "hbir" / "backend" / "march"
TOGETHER = (("nash-e", "nash-m"), ("nash-p",))
"""Marches with the same numbers: one core at two clocks, and another."""

SCHEDULING = ("backend", "compiler", "passes/schedule")
"""Packages of hbir that turn a quantized module into a program."""

REPLAYS = 4
NOT_ASKED = "not in this run (--graph, --slice)"
SIGNIFICANT = 3

KEYS = {
    "tae": [
        ("tae", f"passes_{x}_{w}") for x in ("int8", "int16") for w in ("int8", "int16")
    ],
    "vae": [("vae", "bytes_per_cycle")],
    "trans": [("trans", "bytes_per_cycle")],
    "ddr": [("ddr", "bandwidth_gb_per_s"), ("ddr", "core_bytes_per_cycle")],
    "call": [("chip", "call_overhead_us")],
}  # fmt: skip
"""Part → the numbers of a march file that scale it."""


@dataclass
class Compiled:
    """A measurement's graph, compiled for its march."""

    measurement: Measurement
    program: Program


def compile_job(job: tuple[str, str]) -> Program | str:
    """The program of (graph, march), its constants left out; or why there is none.

    Kept in a file until the march or a line of the compiler changes.
    """
    graph, march = job
    kept = CACHE / "programs" / f"{graph}-{digest(load_march(march))}.pickle"
    if kept.exists():
        return pickle.loads(kept.read_bytes())  # written here, below
    try:
        # Nothing reads constants here, and a process can't send a memoryview to another.
        program = replace(compiled(graph, march), constants=cast(memoryview, b""))
    except HbirError as error:
        return f"{graph}: {error}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_file(kept, pickle.dumps(program))
    return program


@lru_cache(maxsize=8)
def digest(machine: Machine) -> str:
    """Of all that a program depends on besides its quantized graph: the machine, and the source of
    what schedules and encodes."""
    hashed = hashlib.sha256(in_cycles(machine).identity.encode())
    root = Path(hbir.__file__).parent
    for path in sorted(path for part in SCHEDULING for path in (root / part).rglob("*.py")):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


def predict_job(job: tuple[Machine, Program]) -> Prediction:
    """A prediction, in a worker."""
    return predict(*job)


class Fit:
    """All measurements of some marches, compiled once and played as often as needed."""

    def __init__(self, marches: Sequence[str], pool: ProcessPoolExecutor, only: set[str]) -> None:
        self.pool = pool
        self.machines = {march: load_march(march) for march in marches}
        usable, self.left = measurements(tuple(marches))
        asked = [m for m in usable if not only or m.graph in only]
        self.left += [Left(m.model, m.march, NOT_ASKED) for m in usable if m not in asked]
        usable = asked
        compiled_for = {march: self._first_alike(march) for march in marches}
        jobs = sorted({(m.graph, compiled_for[m.march]) for m in usable})
        programs = dict(zip(jobs, pool.map(compile_job, jobs), strict=True))
        self.compiled: list[Compiled] = []
        for m in usable:
            program = programs[m.graph, compiled_for[m.march]]
            if isinstance(program, str):
                self.left.append(Left(m.model, m.march, program.splitlines()[0]))
            elif cpu_calls(program):
                self.left.append(Left(m.model, m.march, "an op that hbir leaves to the CPU"))
            else:
                self.compiled.append(Compiled(m, program))

    def _first_alike(self, march: str) -> str:
        """The first march that differs by its clock alone: the same schedule is best for both."""
        mine = in_cycles(self.machines[march])
        return next(name for name, other in self.machines.items() if in_cycles(other) == mine)

    def rows(self, machines: dict[str, Machine], families: Iterable[str] = ()) -> list[Row]:
        """Predictions on `machines`, of all families or of some."""
        wanted = set(families)
        mine = [c for c in self.compiled if not wanted or c.measurement.family in wanted]
        distinct = {(c.measurement.graph, c.measurement.march): c.program for c in mine}
        jobs = [(machines[march], program) for (_, march), program in distinct.items()]
        played = dict(zip(distinct, self.pool.map(predict_job, jobs), strict=True))
        return [Row(c.measurement, played[c.measurement.graph, c.measurement.march]) for c in mine]

    def fitted(self, marches: Sequence[str], without: str = "") -> dict[str, float]:
        """Factors for the numbers of `marches`, from all families but `without`."""
        families = {c.measurement.family for c in self.compiled} - {without}
        total = dict.fromkeys(KEYS, 1.0)
        for _ in range(1 if without else REPLAYS):
            machines = {m: scaled(machine, total) for m, machine in self.machines.items()}
            rows = self._cached_rows(machines, families, total)
            rows = [r for r in rows if r.measured.march in marches]
            rows = [r for r in rows if not r.measured.check]
            launch_ms = [self._launch_ms(r) for r in rows]
            step = solve(rows, [saturated_ms(r, self.machines) for r in rows], launch_ms)
            total = {part: total[part] * step[part] for part in total}
        return total

    def _launch_ms(self, row: Row) -> float:
        """What bounds the rate of few threads; nothing where the BPU's own time was measured."""
        machine = self.machines[row.measured.march]
        return machine.launch_us(row.predicted.io_bytes) / 1000.0 if row.measured.bpu_ms else 0.0

    def _cached_rows(
        self, machines: dict[str, Machine], families: set[str], factors: dict[str, float]
    ) -> list[Row]:
        if any(factor != 1.0 for factor in factors.values()):
            return self.rows(machines, families)
        if not hasattr(self, "_first"):
            self._first = self.rows(self.machines)
        return [row for row in self._first if row.measured.family in families]


def in_cycles(machine: Machine) -> Machine:
    """What a schedule depends on: no clock, no time between calls; of one core's DDR, its port."""
    behind = 0.0 if machine.cores == 1 else machine.ddr.bandwidth_gb_per_s / machine.clock_ghz
    return replace(
        machine,
        name="",
        description="",
        clock_ghz=1.0,
        launch_overhead_us=0.0,
        launch_gb_per_s=1.0,
        call_overhead_us=0.0,
        ddr=replace(
            machine.ddr,
            bandwidth_gb_per_s=behind,
            core_bandwidth_gb_per_s=machine.ddr_bytes_per_cycle,
        ),
        provenance={},
    )


def cpu_calls(program: Program) -> bool:
    """Whether a program leaves something to the CPU, whose time isn't modelled."""
    from hbir.backend.isa.program import CpuSegment

    return any(isinstance(s, CpuSegment) for g in program.graphs for s in g.segments)


def saturated_ms(row: Row, machines: dict[str, Machine]) -> float:
    """What the predicted `bpu_ms` is compared with: measured, or from a latency without one."""
    if row.measured.bpu_ms:
        return row.measured.bpu_ms
    launch_us = machines[row.measured.march].launch_us(row.predicted.io_bytes)
    return max(1e-3, row.measured.latency_ms - launch_us / 1000.0)


# --------------------------------------------------------------------------- writing


def write_numbers(march: str, values: dict[tuple[str, str], float], source: str) -> None:
    """Replace numbers of a march's own file by fitted ones."""
    path = MARCH_FOLDER / f"{march}.toml"
    section, lines = "", path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"\[(\w+)\]", line):
            section = match.group(1)
        match = re.match(
            r"(\w+) = \{ value = [^,]+, origin = \"(\w+)\", source = \"([^\"]*)\"", line
        )
        if match and (section, match.group(1)) in values:
            key = match.group(1)
            value = float(f"{values[section, key]:.{SIGNIFICANT}g}")
            wide = key.startswith("passes_") and key != "passes_int8_int8"
            origin, said = ("assumed", match.group(3)) if wide else ("fitted", source)
            lines[number] = (
                f'{key} = {{ value = {value:g}, origin = "{origin}", source = "{said}" }}'
            )
        elif line.startswith("fitted_with"):
            lines[number] = f'fitted_with = "hbir {__version__}"'
    write_file(path, ("\n".join(lines) + "\n").encode())
    forget_marches()


def new_numbers(machine: Machine, factors: dict[str, float]) -> dict[tuple[str, str], float]:
    """Key → value of a march after scaling its parts."""
    after = scaled(machine, factors)
    return {
        **{("tae", key): getattr(after.tae, key) for _, key in KEYS["tae"]},
        ("vae", "bytes_per_cycle"): after.vector["VAE"].bytes_per_cycle,
        ("trans", "bytes_per_cycle"): after.vector["TRANS"].bytes_per_cycle,
        **(
            {("ddr", "core_bytes_per_cycle"): after.ddr_bytes_per_cycle}
            if machine.cores == 1
            else {("ddr", "bandwidth_gb_per_s"): after.ddr.bandwidth_gb_per_s}
        ),
        ("chip", "call_overhead_us"): after.call_overhead_us,
    }


# --------------------------------------------------------------------------- the command


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fit_march", description=str(__doc__).splitlines()[0])
    parser.add_argument("--march", action="append", choices=MARCHES, help="default: all")
    parser.add_argument("--fit", action="store_true", help="write fitted numbers first")
    parser.add_argument("--rounds", type=int, default=2, help="times to compile and solve")
    parser.add_argument("--graph", action="append", default=[], help="only these graphs")
    parser.add_argument("--slice", action="store_true", help="only graphs without ultralytics")
    parser.add_argument("--report", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] = sys.argv[1:]) -> int:
    """Run the command; 0 is success."""
    options = _options(arguments)
    marches = tuple(options.march or MARCHES)
    only = set(options.graph)
    if options.slice:
        only |= {m.graph for m in measurements(marches)[0] if not needs_ultralytics(m.graph)}
    try:
        with ProcessPoolExecutor(options.jobs) as pool:
            for _ in range(options.rounds if options.fit else 0):
                _fit(Fit(marches, pool, only))
        with ProcessPoolExecutor(options.jobs) as pool:  # anew: workers remember march files
            _compare(Fit(marches, pool, only), options)
    except HbirError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _fit(fit: Fit) -> None:
    for together in TOGETHER:
        marches = [march for march in together if march in fit.machines]
        if not marches:
            continue
        factors = fit.fitted(marches)
        print(together[0], {part: round(factor, 3) for part, factor in factors.items()})
        machine = fit.machines[marches[0]]
        used = [c for c in fit.compiled if c.measurement.march in marches]
        source = f"least squares on {len(used)} board rows, hbir {__version__} at O2"
        write_numbers(together[0], new_numbers(machine, factors), source)
    rows = fit.rows(fit.machines)
    for march in fit.machines:
        mine = [row for row in rows if row.measured.march == march]
        if any(row.measured.latency_ms and row.measured.bpu_ms for row in mine):
            source = "1-thread latency less the BPU's time, against the bytes of inputs and outputs"
            fixed, rate = launch_numbers(mine)
            print(f"{march}: launch {fixed:.0f} us, and {rate:.0f} GB/s")
            values = {("chip", "launch_overhead_us"): fixed, ("chip", "launch_gb_per_s"): rate}
            write_numbers(march, values, source)


def _compare(fit: Fit, options: argparse.Namespace) -> None:
    rows = fit.rows(fit.machines)
    held: dict[int, Row] = {}
    for family in dict.fromkeys(row.measured.family for row in rows):
        machines = dict(fit.machines)
        for together in TOGETHER:
            marches = [march for march in together if march in machines]
            others = [
                r for r in rows if r.measured.march in marches and r.measured.family != family
            ]
            if others:
                factors = fit.fitted(marches, without=family)
                machines |= {march: scaled(machines[march], factors) for march in marches}
        played = iter(fit.rows(machines, [family]))
        for number, row in enumerate(rows):
            if row.measured.family == family:
                held[number] = next(played)
    lines = lines_of(rows, [held[n] for n in range(len(rows))], fit.machines)
    text = table(lines, fit.left)
    print(text)
    if options.report:
        write_file(options.report, (HEADER.format(version=__version__) + text).encode())
    if options.record:
        write_record(
            {
                march: {g: predict(machine, compiled(g, march)).bpu_ms for g in SLICE}
                for march, machine in fit.machines.items()
            }
        )


if __name__ == "__main__":
    sys.exit(main())
