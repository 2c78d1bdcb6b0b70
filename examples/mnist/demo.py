"""`make demo`: the bundled network from ONNX to a simulated program, with what each step costs.

Compiles `model.onnx` for a march, labels the test images on three levels (float, the quantized IR,
and the compiled program in the simulator), and prints the accuracies, how many outputs of the
program equal the quantized IR's bit for bit, the time each layer is predicted to take, and that of
the whole network. It needs only what hbir itself needs.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import hbir
import hbir.onnx

HERE = Path(__file__).resolve().parent
Array = np.ndarray[Any, Any]
Feed = dict[str, Array]


def read_digits(part: str) -> tuple[list[Feed], Array]:
    """A feed per image of `part` ("calib" or "test"), and the labels."""
    with np.load(HERE / f"{part}.npz") as arrays:
        return [{"image": image[np.newaxis]} for image in arrays["images"]], arrays["labels"]


def run(feed: Callable[[Feed], Feed], feeds: list[Feed], title: str, console: Console) -> Array:
    """The logits (N,10) of one level for all feeds, with a progress bar on a terminal."""
    shown = track(feeds, title, transient=True, console=console, disable=not console.is_terminal)
    return np.concatenate([feed(x)["logits"] for x in shown])


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 when the program's bits equal the quantized IR's on every image."""
    parser = argparse.ArgumentParser(prog="demo.py", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--march", default="nash-e")
    parser.add_argument("--opt", type=int, choices=(0, 1, 2), default=2)
    parser.add_argument("--images", type=int, default=1000, help="how many test images (all: 1000)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("build", "demo"),
        help="folder for model.hbm and its report (default: build/demo)",
    )
    options = parser.parse_args(arguments)
    console = Console()
    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)

    module = hbir.onnx.export(str(HERE / "model.onnx"))
    calibrated = hbir.calibrate(module, read_digits("calib")[0])
    quantized = hbir.convert(calibrated, options.march)
    program = hbir.compile(quantized, folder / "model.hbm", options.march, opt=options.opt)

    feeds, labels = read_digits("test")
    feeds, labels = feeds[: options.images], labels[: options.images]
    levels = {
        "float": run(module.functions[0].feed, feeds, "float", console),
        "int8 (quantized IR)": run(quantized.functions[0].feed, feeds, "int8", console),
        "hbm (simulator)": run(program.graphs[0].feed, feeds, "hbm", console),
    }
    table = Table(title=f"{len(feeds)} test images, {options.march} -O{options.opt}")
    table.add_column("level")
    table.add_column("accuracy", justify="right")
    for name, logits in levels.items():
        table.add_row(name, f"{(logits.argmax(axis=1) == labels).mean():.2%}")
    console.print(table)

    integer, simulated = levels["int8 (quantized IR)"], levels["hbm (simulator)"]
    bits = [
        np.array_equal(a.view(np.uint32), b.view(np.uint32))
        for a, b in zip(integer, simulated, strict=True)
    ]
    console.print(f"hbm equals the quantized IR bit for bit on {sum(bits)} of {len(bits)} images")
    hbir.hbm_perf(program, folder)
    return 0 if all(bits) else 1


if __name__ == "__main__":
    sys.exit(main())
