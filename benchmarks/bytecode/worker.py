"""One measurement in a process of its own.

    python -m benchmarks.bytecode.worker ACTION NETWORK FOLDER

Prints JSON: the best of a few times in seconds, and what the first of them added to the peak
resident memory.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from xdsl.parser import Parser
from xdsl.printer import Printer

from benchmarks.bytecode.networks import MODULES, constants, context, holding
from hbir.files import map_file, write_file
from hbir.ir.storage import module_chunks, module_text, read_module

REPEATS = {"bytecode": 5, "text": 1}


def make(network: str, folder: Path) -> Callable[[], Any]:
    """Write the network's two files: bytecode, and text with locations and constants."""
    ctx = context()
    module = MODULES[network](ctx)
    write_file(folder / f"{network}.bc", module_chunks(module, ctx.weights))
    text = module_text(module, ctx.weights, debuginfo=True)
    write_file(folder / f"{network}.mlir", text.encode())
    return lambda: None


def build(network: str, folder: Path) -> Callable[[], Any]:
    """The module as objects of xDSL, by its Python API, the bytes of constants being there."""
    ctx = context()
    if network == "weights":
        values = constants(ctx)
        return lambda: holding(values)
    return lambda: MODULES[network](ctx)


def read_bc(network: str, folder: Path) -> Callable[[], Any]:
    """File to module, weights in their store."""
    path = folder / f"{network}.bc"
    return lambda: read_module(map_file(path), context(), str(path))


def read_text(network: str, folder: Path) -> Callable[[], Any]:
    """The same from text: by xDSL's parser, for weights by hbir's, which is faster."""
    path = folder / f"{network}.mlir"
    if network == "weights":
        return lambda: read_module(map_file(path), context(), str(path))
    return lambda: Parser(context(), path.read_text(), str(path)).parse_module()


def write_bc(network: str, folder: Path) -> Callable[[], Any]:
    """Module to file."""
    ctx = context()
    module = MODULES[network](ctx)
    path = folder / f"{network}.out.bc"
    return lambda: write_file(path, module_chunks(module, ctx.weights))


def write_text(network: str, folder: Path) -> Callable[[], Any]:
    """The same as text: by xDSL's printer, for weights by hbir's, which knows where they are."""
    ctx = context()
    module = MODULES[network](ctx)
    path = folder / f"{network}.out.mlir"

    def write() -> None:
        if network == "weights":
            write_file(path, module_text(module, ctx.weights).encode())
            return
        stream = StringIO()
        Printer(stream, print_debuginfo=True).print_op(module)
        write_file(path, stream.getvalue().encode())

    return write


ACTIONS: dict[str, Callable[[str, Path], Callable[[], Any]]] = {
    "make": make,
    "build": build,
    "read-bytecode": read_bc,
    "read-text": read_text,
    "write-bytecode": write_bc,
    "write-text": write_text,
}


def peak_bytes() -> int:
    """The largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure what the arguments say."""
    action, network, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    run = ACTIONS[action](network, folder)
    read_module(b"module {}", context(), "warm-up")  # dialects are imported when first used
    gc.collect()
    before = peak_bytes()
    seconds: list[float] = []
    added = 0
    for _ in range(REPEATS.get(action.partition("-")[2], 1)):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
        added = added or peak_bytes() - before
        del result
        gc.collect()
    json.dump({"seconds": min(seconds), "peak_bytes": added}, sys.stdout)


if __name__ == "__main__":
    main()
