"""Read mutated files of bytecode: each must end in a module or in one error that says where.

    python -m tools.fuzz_bytecode --count 100000 --jobs 2

The corpus is made anew: the modules of the tests as hbir writes them, and, where mlir-opt is
installed, as it writes them in every version. Memory is limited, so that a file that would fill it
fails. A failing file is kept in --keep. The same seed makes the same files.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.unit.bytecode.mlir_opt.program import PROGRAM, VERSIONS, to_bytecode
from tests.unit.bytecode.modules import EVERYTHING, context, filecheck_modules, parse, write
from tests.unit.bytecode.mutations import Misread, mutate, try_reading

MEMORY_BYTES = 2 << 30
"""Address space of a process; reading a corpus file takes a tenth of it."""

LARGEST_BYTES = 8192
"""Larger modules spend their time in the same code."""


@dataclass
class Tally:
    """What became of a process's share."""

    read: int = 0
    refused: int = 0
    slowest_seconds: float = 0.0
    peak_megabytes: int = 0
    failures: dict[str, bytes] = field(default_factory=dict[str, bytes])


def corpus() -> list[bytes]:
    """Files to mutate."""
    ctx = context()
    everything = write(parse(EVERYTHING, ctx))
    files = [everything] * 3
    if PROGRAM.exists():
        files += [to_bytecode(everything, version) for version in VERSIONS]
    files += [write(module, weights) for _, module, weights in filecheck_modules(ctx)]
    return [file for file in files if len(file) <= LARGEST_BYTES]


def run(files: Sequence[bytes], seed: int, count: int) -> Tally:
    """Try `count` mutations."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    random_ = random.Random(seed)
    ctx = context()
    tally = Tally()
    for index in range(count):
        if index % 5000 == 0:
            ctx = context()  # it remembers every unregistered name it has met
        data = mutate(random_.choice(files), random_, random_.choice(files))
        try:
            result = try_reading(data, ctx)
        except Misread as error:
            tally.failures.setdefault(str(error)[:200], data)
            continue
        tally.read += result.error is None
        tally.refused += result.error is not None
        tally.slowest_seconds = max(tally.slowest_seconds, result.seconds)
    tally.peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return tally


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 1 after a failure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="mutated files")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for failing files")
    options = parser.parse_args(argv)
    start = time.monotonic()
    files = corpus()
    share = -(-options.count // options.jobs)
    jobs = [(files, options.seed + job, share) for job in range(options.jobs)]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        tallies = pool.starmap(run, jobs)
    read, refused = sum(tally.read for tally in tallies), sum(tally.refused for tally in tallies)
    failures = {key: data for tally in tallies for key, data in tally.failures.items()}
    print(f"{len(files)} files, {share * options.jobs} mutations, seed {options.seed}")
    print(f"{read} read, {refused} refused with one error, {len(failures)} kinds of failure")
    slowest = max(tally.slowest_seconds for tally in tallies)
    peak = max(tally.peak_megabytes for tally in tallies)
    print(f"slowest {slowest:.2f} s, peak {peak} MB, {time.monotonic() - start:.0f} s in all")
    for number, (reason, data) in enumerate(sorted(failures.items())):
        options.keep.mkdir(parents=True, exist_ok=True)
        path = options.keep / f"failure{number}.bc"
        path.write_bytes(data)
        print(f"{path}: {reason}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
