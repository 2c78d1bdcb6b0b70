"""Whole PTQ of ResNet-50 with 16 images, ONNX to hbm: the time of each phase and the peak memory.

python -m benchmarks.ptq [--method kl] [--images 16] [--search]

Weights and images are random (tests/models/resnet50.py), which changes nothing that is timed.
tpu-mlir 1.30.2 takes 7.4 s for model_transform, 25.0 s for run_calibration with 16 images (KL) and
5.6 s for model_deploy of the same network on the machine that hbir's figures in the documents are
from: 38.0 s in all, and 1.4 GB. `--search` is hbir's default, a search of methods; with random
weights no method reaches its threshold, so that all are tried.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PEER_SECONDS = {"transform": 7.4, "calibration": 25.0, "deploy": 5.6}
PEER_PEAK_GB = 1.4
MARCH = "nash-e"
KILOBYTES_PER_GB = 1e6


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ptq")
    parser.add_argument("--method", default="kl", help="max, percentile, kl, mse (default: kl)")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--search", action="store_true", help="hbir's default, a search")
    return parser.parse_args()


def main() -> int:
    """Print the table; returns the exit status."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resnet50.onnx"
        images = _write_network(path, options.images)
        table, peak = _measure(path, images, options)
    Console().print(table)
    total = sum(PEER_SECONDS.values())
    print(f"peak memory {peak:.2f} GB; tpu-mlir: {total:.1f} s, {PEER_PEAK_GB} GB")
    return 0


def _write_network(path: Path, count: int) -> list[dict[str, Any]]:
    """The model's file, and the images; what making them takes isn't measured."""
    from tests.models import resnet50

    path.write_bytes(resnet50.build().SerializeToString())
    images = resnet50.noise_images(count, seed=1)
    return [{resnet50.INPUT_NAME: images[i : i + 1]} for i in range(count)]


def _measure(
    path: Path, images: list[dict[str, Any]], options: argparse.Namespace
) -> tuple[Table, float]:
    seconds: dict[str, float] = {}

    @contextmanager
    def phase(name: str) -> Generator[None]:
        start, started = time.perf_counter(), time.process_time()
        yield
        seconds[name] = time.perf_counter() - start
        processor = time.process_time() - started
        print(
            f"{name}: {seconds[name]:.2f} s, {processor:.2f} s of processor time",
            file=sys.stderr,
            flush=True,
        )

    with phase("import of hbir"):
        import hbir
        import hbir.onnx
        from hbir.ptq.quant_config import settings_from
        from hbir.ptq.quantize import quantize

    activation = {"calibration_type": options.method, "asymmetric": True}
    config = {} if options.search else {"model_config": {"activation": activation}}
    with phase("export"):
        module = hbir.onnx.export(str(path))
    with phase("quantize"):
        result = quantize(module, images, settings_from(config))
    with phase("convert"):
        quantized = hbir.convert(result.module, MARCH)
    with phase("compile"):
        hbir.compile(quantized, str(path.with_suffix(".hbm")), MARCH)
    table = Table("phase", "s", title=f"ResNet-50, {options.images} images, {result.method}")
    for name, value in seconds.items():
        table.add_row(name, f"{value:.2f}")
    whole = sum(seconds.values())
    share = whole / sum(PEER_SECONDS.values())
    table.add_row("whole", f"{whole:.2f} ({share:.2f} of tpu-mlir)")
    return table, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES_PER_GB


if __name__ == "__main__":
    raise SystemExit(main())
