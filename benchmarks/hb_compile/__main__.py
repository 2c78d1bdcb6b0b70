"""Run hb_compile in all four modes on PP-OCR and classifiers, and open every file that it leaves.

    python -m benchmarks.hb_compile [NETWORK ...] [--folder DIR]

Prints a row per network and mode; exits with 1 where one fails.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.hb_compile.configs import NETWORKS, Network
from hbir.cli.hb_compile import main as hb_compile
from tests.e2e.artifacts import check_artifacts

MARCH = "nash-e"


def run_config(network: Network, yaml: Path) -> int:
    """Config mode; returns how many files were opened."""
    _succeed("-c", yaml.name)
    removes = ["removed"] if "remove_node_type:" in yaml.read_text() else []
    return len(check_artifacts(Path("out"), network.name, removes))


def run_check(network: Network, yaml: Path) -> int:
    """Check mode, which needs the model alone."""
    _succeed("-m", "model.onnx", "--march", MARCH, *_shapes(network))
    return len(check_artifacts(Path(".hb_compile"), "model"))


def run_fast_perf(network: Network, yaml: Path) -> int:
    """Fast-perf mode."""
    _succeed("--fast-perf", "-m", "model.onnx", "--march", MARCH, *_shapes(network))
    return len(check_artifacts(max(Path().glob("model_output*")), "model", ["removed"]))


def run_bc(network: Network, yaml: Path) -> int:
    """Compiling the .bc of config mode again gives the same .hbm."""
    compiled = Path("out", f"{network.name}.hbm")
    assert compiled.is_file(), "config mode made none"
    before = compiled.read_bytes()
    _succeed("-m", f"out/{network.name}_quantized_model.bc", "-c", yaml.name)
    assert compiled.read_bytes() == before, "compiling again gave other bytes"
    return 1


MODES = {"config": run_config, "check": run_check, "fast-perf": run_fast_perf, "bc": run_bc}


def _shapes(network: Network) -> list[str]:
    return [text for name, shape in network.shapes for text in ("--input-shape", name, shape)]


def _succeed(*arguments: str) -> None:
    with open("printed.txt", "a") as printed, contextlib.redirect_stdout(printed):
        status = hb_compile(arguments)
    assert status == 0, f"hb_compile {' '.join(arguments)}: exit status {status}; see printed.txt"


@contextlib.contextmanager
def _inside(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hb_compile")
    names = [network.name for network in NETWORKS]
    parser.add_argument("networks", nargs="*", choices=[[], *names], metavar="NETWORK")
    parser.add_argument("--folder", type=Path, help="keep the files there")
    options = parser.parse_args()
    chosen = [n for n in NETWORKS if not options.networks or n.name in options.networks]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        return run(chosen, folder)


def run(networks: list[Network], folder: Path) -> int:
    """Run the networks in folders of their own; 1 where a mode fails."""
    table = Table("network", "mode", "result", "files opened", "seconds")
    failed = 0
    for network in networks:
        yaml = network.write(folder / network.name)
        for mode, run_mode in MODES.items():
            start = time.perf_counter()
            with _inside(yaml.parent):
                try:
                    result, files = "ok", str(run_mode(network, yaml))
                except AssertionError as error:
                    result, files, failed = f"failed: {error}", "", 1
            seconds = f"{time.perf_counter() - start:.1f}"
            table.add_row(network.name, mode, result, files, seconds)
    Console().print(table)
    return failed


if __name__ == "__main__":
    sys.exit(main())
