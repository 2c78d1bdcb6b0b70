"""Architectures in plain torch through the whole toolchain.

    python -m benchmarks.architectures            all of them, some minutes
    python -m benchmarks.architectures --small    at the sizes that CI takes
    python -m benchmarks.architectures ViT-S/16 Swin-T

A line each: parameters, greatest difference of any output from PyTorch's own (eager, float32),
cosine of int8 to float after calibration on random inputs, ops on the BPU and on the CPU, whether
quantized level, scheduled level and program give the same bits, and seconds for export, convert
(calibration included) and compile. Weights are random: the cosines say that nothing is broken, not
how accurate a trained network would be. Why ops are on the CPU is listed below. The exit status is
1 when a network fails, differs by more than 1e-4, or has unequal bits.
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from benchmarks.architectures.measure import Record, measure
from benchmarks.architectures.networks import ARCHITECTURES
from hbir.errors import HbirError

TOLERANCE = 1e-4

HEADER = (
    f"{'architecture':20}{'params':>8}{'|float diff|':>14}{'int8 cos':>10}{'BPU':>6}{'CPU':>5}"
    f"{'bits':>8}{'export':>9}{'convert':>9}{'compile':>9}"
)


def main(arguments: list[str]) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="those to measure (all of them)")
    parser.add_argument("--small", action="store_true", help="at the sizes that CI takes")
    parser.add_argument("--march", default="nash-e")
    parser.add_argument("-O", "--opt", type=int, default=2, choices=(0, 1, 2))
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in ARCHITECTURES]
    if unknown:
        parser.error(f"no architecture {unknown[0]!r}; there are {', '.join(ARCHITECTURES)}")
    console = Console(width=200, highlight=False)
    console.print(HEADER)
    failures = 0
    for name in options.names or ARCHITECTURES:
        architecture = ARCHITECTURES[name]
        variant = architecture.small if options.small else architecture.measured
        try:
            record = measure(name, variant, options.march, options.opt)
        except HbirError as error:
            console.print(f"{name:20}FAILS: {error}", markup=False)
            failures += 1
            continue
        failures += not (record.equal_bits and record.float_difference <= TOLERANCE)
        console.print(_line(name, record), markup=False)
        for reason, count in sorted(record.cpu_ops.items()):
            console.print(f"    CPU {count} x {reason}", markup=False)
    console.print(f"{failures} failed")
    return 1 if failures else 0


def _line(name: str, record: Record) -> str:
    times = (record.export_seconds, record.convert_seconds, record.compile_seconds)
    return (
        f"{name:20}{record.parameters / 1e6:>7.2f}M{record.float_difference:>14.1e}"
        f"{record.int8_cosine:>10.4f}{record.bpu_ops:>6}{sum(record.cpu_ops.values()):>5}"
        f"{'equal' if record.equal_bits else 'DIFFER':>8}"
        + "".join(f"{seconds:>8.1f}s" for seconds in times)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
