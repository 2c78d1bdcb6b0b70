"""Whole PTQ of ResNet-50 with 16 images, ONNX to hbm: time and peak memory, two ways.

python -m benchmarks.ptq [--method kl] [--images 16] [--search] [--input featuremap]

First `hb_compile -c` in a process of its own, with every file that it leaves (stage ONNX files,
node table, reports); its time is from start to exit. Then hbir's functions in this process, phase
by phase. Use an idle machine: both wait for the processor.

Weights and images are random (tests/models/resnet50.py), which changes nothing that is timed.
tpu-mlir 1.30.2 takes 7.4 s for model_transform, 25.0 s for run_calibration with 16 images (KL) and
5.6 s for model_deploy of the same network on the machine that hbir's figures in the documents are
from: 38.0 s in all, and 1.4 GB. `--search` is hbir's default, a search of methods; with random
weights no method reaches its threshold, so that all are tried.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

PEER_SECONDS = {"transform": 7.4, "calibration": 25.0, "deploy": 5.6}
PEER_PEAK_GB = 1.4
MARCH = "nash-e"
KILOBYTES_PER_GB = 1e6

CONFIG = """
model_parameters:
  onnx_model: "{model}"
  march: "{march}"
  working_dir: "out"
  output_model_file_prefix: "resnet50"
input_parameters:
  input_type_rt: "{runtime_type}"
  input_type_train: "{train_type}"
  input_layout_train: "NCHW"
calibration_parameters:
  cal_data_dir: "data"
  calibration_type: "{method}"
compiler_parameters:
  optimize_level: "O2"
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ptq")
    parser.add_argument("--method", default="kl", help="max, percentile, kl, mse (default: kl)")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--search", action="store_true", help="hbir's default, a search")
    parser.add_argument("--input", default="nv12", help="input_type_rt (default: nv12)")
    return parser.parse_args()


def main() -> int:
    """Print the table; returns the exit status."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resnet50.onnx"
        images = _write_network(path, options.images)
        # Before this process grows: a new one's peak counts the memory of the one that starts it.
        seconds, command_peak = _measure_command(path, images, options)
        table, peak = _measure(path, images, options)
    Console().print(table)
    total = sum(PEER_SECONDS.values())
    share = seconds / total
    print(f"functions: peak memory {peak:.2f} GB")
    print(
        f"hb_compile -c: {seconds:.2f} s ({share:.2f} of tpu-mlir), peak memory"
        f" {command_peak:.2f} GB"
    )
    print(f"tpu-mlir: {total:.1f} s, {PEER_PEAK_GB} GB")
    return 0


def _write_network(path: Path, count: int) -> list[dict[str, Any]]:
    """The model's file, and the images; what making them takes isn't measured."""
    from tests.models import resnet50

    path.write_bytes(resnet50.build().SerializeToString())
    images = resnet50.noise_images(count, seed=1)
    return [{resnet50.INPUT_NAME: images[i : i + 1]} for i in range(count)]


def _measure_command(
    path: Path, images: list[dict[str, Any]], options: argparse.Namespace
) -> tuple[float, float]:
    """Seconds from start to exit, and the peak in GB. Raises SystemExit where it fails."""
    data = path.parent / "data"
    data.mkdir()
    for index, sample in enumerate(images):
        for array in sample.values():
            np.save(data / f"{index:03}.npy", array)
    config = path.with_suffix(".yaml")
    features = options.input == "featuremap"
    text = CONFIG.format(
        model=path.name,
        march=MARCH,
        method="default" if options.search else options.method,
        runtime_type=options.input,
        train_type="featuremap" if features else "rgb",
    )
    config.write_text(text)
    code = "import sys; from hbir.cli.hb_compile import main; sys.exit(main(sys.argv[1:]))"
    printed = path.with_suffix(".txt")
    start = time.perf_counter()
    with printed.open("w") as stream:
        child = subprocess.Popen(
            [sys.executable, "-c", code, "-c", config.name],
            cwd=path.parent,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"hb_compile failed:\n{printed.read_text()}")
    processor = usage.ru_utime + usage.ru_stime
    print(f"hb_compile -c: {seconds:.2f} s, {processor:.2f} s of processor time", file=sys.stderr)
    return seconds, usage.ru_maxrss / KILOBYTES_PER_GB


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
