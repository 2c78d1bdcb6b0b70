"""Whole PTQ of ResNet-50 with 16 images, ONNX to hbm: time and peak memory, two ways.

python -m benchmarks.ptq [--method kl] [--images 16] [--repeats 5] [--search] [--input featuremap]

`hb_compile -c` as a command, with every file that it leaves (stage ONNX files, node table,
reports), and hbir's functions as a script. tpu-mlir 1.30.2 takes 7.4 s for model_transform, 25.0 s
for run_calibration with 16 images (KL) and 5.6 s for model_deploy of the same network, 38.0 s in
all, and 1.4 GB. It installs nowhere without work, so it isn't run again here. Instead vela compiles
its ResNet-50 in turns with the two, which took 4.3 to 5.3 s on the machine and the day that
tpu-mlir took 38.0 s: seconds become vela's times, and so shares of tpu-mlir, whatever machine this
is and however busy. Exits with 1 when a share is above 0.25 or a peak above 1.5 GB.

`--search` is hbir's default, a search of methods; with random weights no method reaches its
threshold, so that all are tried.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compile.measure import CommandFailed, Run, measure
from benchmarks.compile.vela import ENVIRONMENT, MODELS, ROOT, vela_arguments, vela_command
from benchmarks.ptq.functions import MARCH

PEER_SECONDS = 7.4 + 25.0 + 5.6
VELA_SECONDS = 4.8
"""The middle of what vela took beside it."""

SHARE_LIMIT, PEAK_LIMIT_GB = 0.25, 1.5

CONFIG = """
model_parameters:
  onnx_model: "resnet50.onnx"
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
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--search", action="store_true", help="hbir's default, a search")
    parser.add_argument("--input", default="nv12", help="input_type_rt (default: nv12)")
    return parser.parse_args()


def _commands(options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """What is measured, by name; vela where its network is there."""
    features = options.input == "featuremap"
    config = folder / "resnet50.yaml"
    config.write_text(
        CONFIG.format(
            march=MARCH,
            method="default" if options.search else options.method,
            runtime_type=options.input,
            train_type="featuremap" if features else "rgb",
        )
    )
    command = str(Path(sys.executable).parent / "hb_compile")
    functions = [sys.executable, "-m", "benchmarks.ptq.functions", str(folder), options.method]
    found = {
        "hb_compile -c": [command, "-c", config.name],
        "hbir's functions": [*functions, *(["--search"] if options.search else [])],
    }
    network = MODELS / "resnet50.int8.tflite"
    if network.is_file():
        found["vela"] = vela_arguments(vela_command(ENVIRONMENT), network, folder / "vela")
    else:
        print(f"no {network}: shares of tpu-mlir hold for the machine it was timed on only")
    return found


def _measure(options: argparse.Namespace) -> dict[str, list[Run]]:
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "hbir")], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maker = [sys.executable, "-m", "benchmarks.ptq.network", name, str(options.images)]
        subprocess.run(maker, check=True, cwd=ROOT)
        commands = _commands(options, folder)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(ROOT)
        runs: dict[str, list[Run]] = {what: [] for what in commands}
        for repeat in range(options.repeats):
            for what, command in commands.items():
                log = folder / "log.txt"
                runs[what].append(measure(command, log))
                print(f"run {repeat + 1}, {what}: {runs[what][-1].seconds:.2f} s", file=sys.stderr)
                if "functions" in what:
                    print(log.read_text(), end="", file=sys.stderr)
    return runs


def main() -> int:
    """Print the table; the exit status."""
    options = _options()
    try:
        runs = _measure(options)
    except (CommandFailed, subprocess.CalledProcessError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    seconds = {what: statistics.median(run.seconds for run in of) for what, of in runs.items()}
    slowness = seconds.get("vela", VELA_SECONDS) / VELA_SECONDS
    title = f"ResNet-50, {options.images} images, median of {options.repeats} runs"
    table = Table("", "s", "times vela", "of tpu-mlir", "peak GB", title=title)
    within = True
    for what, of in runs.items():
        peak_gb = max(run.peak_bytes for run in of) / 1e9
        share = seconds[what] / slowness / PEER_SECONDS
        if what != "vela":
            within = within and share <= SHARE_LIMIT and peak_gb <= PEAK_LIMIT_GB
        times = f"{seconds[what] / seconds['vela']:.2f}" if "vela" in seconds else "-"
        table.add_row(what, f"{seconds[what]:.2f}", times, f"{share:.2f}", f"{peak_gb:.2f}")
    Console().print(table)
    print(f"limits: {SHARE_LIMIT} of tpu-mlir, {PEAK_LIMIT_GB} GB: {'met' if within else 'MISSED'}")
    return 0 if within else 1


if __name__ == "__main__":
    raise SystemExit(main())
