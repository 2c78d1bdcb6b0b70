"""Predicted time over the lower bound, and DDR bytes over the compulsory ones, network by network.

The bound is the larger of the compulsory traffic (inputs, constants, outputs, once each) and, for
each set of engines that exclude each other, the work of all layers, one instruction each. It rests
on the machine's numbers, which are printed with how far each can be trusted. Exits with 1 where a
ratio is above the limits, or a higher level is slower than a lower one.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.boards.graphs import quantized, with_made_up_ranges
from hbir.backend.march import Machine, load_march
from hbir.backend.plan.bound import LowerBound, lower_bound
from hbir.backend.timeline import play
from hbir.compiler import compile_program
from hbir.module import Module
from hbir.passes.schedule.group_layers import networks_of

CYCLES_LIMIT = 1.25
BYTES_LIMIT = 1.15
BOUND_NUMBERS = ("ddr", "tae", "vae", "aae", "trans", "vpu", "memory.l1_bytes", "chip.exclusive")


def _ppocr_detection(march: str) -> Module:
    """PP-OCR v4's text detection on a page of 640x640, ranges made up: times depend on shapes."""
    import onnx

    import hbir
    import hbir.onnx
    from tests.models.ppocr import DETECTION

    path = DETECTION["v4"].path()
    model = onnx.load(path)  # pyright: ignore[reportUnknownMemberType]  (a generic PathLike)
    shapes = {model.graph.input[0].name: (1, 3, 640, 640)}
    module = hbir.onnx.export(model, name="detection", input_shapes=shapes)
    return hbir.convert(with_made_up_ranges(module), march)


BOARD_NETWORKS = (
    "resnet50", "mobilenet_v2", "yolov8n", "yolov8s", "yolov8m", "siglip_base_p16_224_tokens",
)  # fmt: skip
DETECTION_NETWORK = "ppocr_det"


def network(name: str, march: str) -> Module:
    """The quantized module of a network's name."""
    return _ppocr_detection(march) if name == DETECTION_NETWORK else quantized(name)


@dataclass(frozen=True)
class Row:
    """One network. cycles: by level at balance 100; frugal_bytes: DDR bytes at balance 0."""

    network: str
    bound: LowerBound
    cycles: tuple[float, float, float]
    moved_bytes: int
    frugal_bytes: int
    compile_seconds: float
    segments: int

    @property
    def cycles_ratio(self) -> float:
        return self.cycles[2] / self.bound.cycles

    @property
    def bytes_ratio(self) -> float:
        return self.frugal_bytes / self.bound.compulsory_bytes

    @property
    def ordered(self) -> bool:
        return self.cycles[2] <= self.cycles[1] <= self.cycles[0]

    @property
    def within_limits(self) -> bool:
        fast = self.cycles_ratio <= CYCLES_LIMIT or self.segments > 1
        return fast and self.bytes_ratio <= BYTES_LIMIT and self.ordered


def measure(name: str, module: Module, march: str, machine: Machine) -> Row:
    """Compile a network at every level, and at balance 0."""
    networks = networks_of(module)
    cycles: list[float] = []
    moved = frugal = 0
    seconds = 0.0
    for opt in (0, 1, 2):
        began = time.perf_counter()
        program = compile_program(module, march, opt)
        seconds = time.perf_counter() - began
        played = play(machine, program, program.graphs[0])
        cycles.append(played.cycles)
        moved = int(played.instructions["ddr_bytes"].sum())
    program = compile_program(module, march, 2, balance=0)
    frugal = int(play(machine, program, program.graphs[0]).instructions["ddr_bytes"].sum())
    bound = lower_bound(machine, networks)
    return Row(
        name, bound, (cycles[0], cycles[1], cycles[2]), moved, frugal, seconds, len(networks)
    )


def _table(rows: list[Row], machine: Machine) -> Table:
    table = Table(title=f"schedules on {machine.name}: thousands of cycles, MB")
    columns = (
        "network", "O0", "O1", "O2", "bound", "by", "O2/bound", "DDR", "compulsory", "balance 0",
        "/compulsory", "segments", "limits",
    )  # fmt: skip
    for column in columns:
        table.add_column(column, justify="left" if column in ("network", "by") else "right")
    for row in rows:
        table.add_row(
            row.network,
            *(f"{cycles / 1e3:.0f}" for cycles in row.cycles),
            f"{row.bound.cycles / 1e3:.0f}",
            row.bound.limit,
            f"{row.cycles_ratio:.3f}",
            f"{row.moved_bytes / 1e6:.1f}",
            f"{row.bound.compulsory_bytes / 1e6:.1f}",
            f"{row.frugal_bytes / 1e6:.1f}",
            f"{row.bytes_ratio:.3f}",
            str(row.segments),
            "met" if row.within_limits else "MISSED",
        )
    return table


def _assumptions(machine: Machine) -> str:
    lines = [
        f"  {key}: {number.origin} ({number.source})"
        for key, number in sorted(machine.provenance.items())
        if key.startswith(BOUND_NUMBERS)
    ]
    return "\n".join(("the bound rests on:", *lines))


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 within the limits."""
    names = [*BOARD_NETWORKS, DETECTION_NETWORK]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule", description=__doc__)
    parser.add_argument("--march", default="nash-e")
    parser.add_argument("--networks", nargs="+", choices=names, default=names)
    options = parser.parse_args(arguments)
    machine = load_march(options.march)
    rows: list[Row] = []
    for name in options.networks:
        print(name, file=sys.stderr)
        rows.append(measure(name, network(name, options.march), options.march, machine))
    console = Console()
    Console(width=max(console.width, 150)).print(_table(rows, machine))
    print(f"limits: O2 at most {CYCLES_LIMIT} bounds, {BYTES_LIMIT} compulsory at balance 0;")
    print("a network that the CPU cuts into segments stores at each cut: no limit in time for it")
    print(_assumptions(machine))
    return 0 if all(row.within_limits for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
