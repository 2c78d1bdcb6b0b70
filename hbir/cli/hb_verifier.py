"""`hb_verifier`: two models of any stages on the same inputs, by output and by layer.

There is no board: an .hbm runs in the simulator, and what says how to reach a board is accepted and
has no effect.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.cli.progress import progress
from hbir.errors import HbirError
from hbir.files import write_file

TOOL = "hb_verifier"
DIGITS = 5
DEPARTS_BELOW = 0.99

BOARD_OPTIONS = ("--ip", "--username", "--password", "--port", "--remote-root")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _run(_parser().parse_args(argv)))


def _parser() -> HbParser:
    parser = HbParser(TOOL, "Compare two models (.onnx, .bc, .mlir, .hbm) on the same inputs.")
    add = parser.add_argument
    add("-m", "--model", required=True, metavar="A,B", help="the two models")
    add(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE.npy",
        help="the first model's inputs, by name or in order (once per input); random by default",
    )
    add("-c", "--compare_digits", type=int, default=DIGITS, metavar="N",
        help=f"decimal places that must agree (default {DIGITS})")  # fmt: skip
    add("--departs-below", type=float, default=DEPARTS_BELOW, metavar="COSINE",
        help=f"cosine below which a tensor departs (default {DEPARTS_BELOW})")  # fmt: skip
    add("--csv", metavar="FILE", help="write the table of tensors there, too")
    add("-u", "--username", help=argparse.SUPPRESS)
    add("-p", "--password", help=argparse.SUPPRESS)
    for option in ("--ip", "--port", "--remote-root"):
        add(option, help="of a board; without effect, there is none")
    add("--skip-sim", action="store_true", help=argparse.SUPPRESS)
    add("--skip-arm", action="store_true", help=argparse.SUPPRESS)
    add("-s", "--run-sim", action="store_true", help="deprecated: a .hbm is always simulated")
    add("-r", "--dump-all-nodes-results", action="store_true", help="not supported; see --csv")
    return parser


def _run(options: argparse.Namespace) -> None:
    models = [part.strip() for part in options.model.split(",")]
    if len(models) != 2 or not all(models):
        raise HbirError(f"-m/--model takes two models, A,B; got {options.model!r}")
    _check_board(options, any(model.endswith(".hbm") for model in models))
    if options.dump_all_nodes_results:
        raise HbirError("-r/--dump-all-nodes-results is not supported; --csv writes every tensor")
    for model in models:
        if not Path(model).is_file():
            raise HbirError(f"{model}: no such file")
    from hbir.ptq.verifier import verify

    given = _inputs(models[0], options.input)
    LOG.info("Start hb_verifier...")
    if given is None:
        LOG.info("no -i/--input: random inputs, the same each time (seed 0)")
    with progress() as display:
        found = verify(
            models[0],
            models[1],
            given,
            digits=options.compare_digits,
            departs_below=options.departs_below,
            display=display,
        )
    LOG.info("%s", "\n".join(["", *found.text().splitlines()]))
    if options.csv:
        write_file(options.csv, found.csv().encode())
        LOG.info("%s: written", options.csv)
    LOG.info("The hb_verifier completes running.")


def _check_board(options: argparse.Namespace, has_hbm: bool) -> None:
    if options.skip_sim and options.skip_arm:
        raise HbirError("--skip-sim and --skip-arm exclude each other")
    if options.skip_sim and has_hbm:
        raise HbirError("--skip-sim: there is no board to run the .hbm on; leave it out")
    given = [o for o in BOARD_OPTIONS if getattr(options, o.strip("-").replace("-", "_"))]
    if given:
        LOG.warning("%s without effect: there is no board, a .hbm is simulated", ", ".join(given))
    if options.run_sim:
        LOG.warning("-s/--run-sim is deprecated: a .hbm is always simulated")


def _inputs(model: str, files: Sequence[str]) -> dict[str, object] | None:
    """The arrays of `-i`, by name; None where there are none."""
    if not files:
        return None
    from hbir.files import read_array
    from hbir.hb_runtime import HBRuntime

    names = HBRuntime(model).input_names
    if len(files) != len(names):
        raise HbirError(
            f"{model} has {len(names)} inputs ({', '.join(names)}), -i was given {len(files)} times"
        )
    arrays: dict[str, object] = {}
    for position, text in enumerate(files):
        # names may hold '=' and so may paths: the model's names decide
        name = next((n for n in names if text.startswith(f"{n}=")), None)
        file = text if name is None else text[len(name) + 1 :]
        name = name or names[position]
        if name in arrays:
            raise HbirError(f"input {name!r} is given twice")
        arrays[name] = read_array(file)
    return arrays
