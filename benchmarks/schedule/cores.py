"""One frame on several cores: `python -m benchmarks.schedule.cores`.

Latency of a frame on 1, 2 and 4 cores of nash-p, with and without the L2M that they share, and what
goes through DDR. Published beside it is YOLOv8x at 640x640 on an S600 (1 core 7.33 ms; 4 cores 5.82
ms, with L2M 4.89 ms), the one public figure of this kind.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.boards.graphs import quantized
from hbir.backend.march import Machine, load_march
from hbir.backend.timeline import frame_microseconds, play
from hbir.compiler import compile_program
from hbir.errors import HbirError
from hbir.module import Module

MARCH = "nash-p"
CORES = (1, 2, 4)
NETWORKS = ("resnet50", "yolov8n", "yolov8x")
PUBLISHED_US = {
    ("yolov8x", 1, False): 7330.0, ("yolov8x", 4, False): 5820.0, ("yolov8x", 4, True): 4890.0,
}  # fmt: skip
"""(network, cores, L2M) → microseconds of a thread's frame, a launch included."""


@dataclass(frozen=True)
class Row:
    """A network on `cores` cores. used: how many of them the fastest schedule takes."""

    network: str
    cores: int
    l2: bool
    used: int
    frame_us: float
    ddr_bytes: int
    published_us: float


def measure(machine: Machine, name: str, module: Module, cores: int, l2: bool) -> Row:
    """Compile and play one frame."""
    program = compile_program(
        module, machine.name, core_num=cores, max_l2m_size=None if l2 else 0
    )  # fmt: skip
    (graph,) = program.graphs
    timeline = play(machine, program, graph)
    frame_us = frame_microseconds(machine, timeline) + machine.launch_us(graph.io_bytes)
    used = len({core for call in graph.calls() for core, _ in call.queues})
    moved = int(timeline.instructions["ddr_bytes"].sum())
    published = PUBLISHED_US.get((name, cores, l2), 0.0)
    return Row(name, cores, l2, used, frame_us, moved, published)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 0 is success."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule.cores")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    options = parser.parse_args(arguments)
    machine = load_march(MARCH)
    table = Table(title=f"one frame on several cores of {MARCH}, a launch included")
    for column in ("network", "cores", "L2M", "used", "us", "of 1 core", "DDR MB", "published us"):
        table.add_column(column, justify="left" if column == "network" else "right")
    try:
        for name in options.networks:
            module, alone = quantized(name), 0.0
            for cores, l2 in ((c, l2) for c in CORES for l2 in (False, True)):
                row = measure(machine, name, module, cores, l2)
                alone = alone or row.frame_us
                table.add_row(
                    name, str(cores), "yes" if l2 else "", str(row.used), f"{row.frame_us:.0f}",
                    f"{alone / row.frame_us:.2f}x", f"{row.ddr_bytes / 1e6:.1f}",
                    f"{row.published_us:.0f}" if row.published_us else "",
                )  # fmt: skip
    except HbirError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    console = Console()
    Console(width=max(console.width, 100)).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
