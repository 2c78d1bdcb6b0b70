"""`hmct-debugger`: where a calibrated model loses accuracy, as logs and pictures.

hmct-debugger get-sensitivity-of-nodes model.bc ./calibration_data -n activation -v
"""

from __future__ import annotations

import argparse
import ast
import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

from hbir.cli.command import CommandParser, run_command
from hbir.cli.progress import progress
from hbir.errors import HbirError
from hbir.ptq.debugger.metrics import COSINE, METRICS

TOOL = "hmct-debugger"

Command: TypeAlias = Callable[[dict[str, Any]], Iterable[str]]
"""A tool with its options, which gives what is to be printed."""
_DEFAULT_FOLDER = "./debug_result/"
_NODES_HELP = 'nodes, weights or tensors, as "[a,b]"; weight, activation: all of these'
_METRIC_HELP = f"one of {', '.join(METRICS)} (default %(default)s)"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = vars(_parser().parse_args(argv))
    command: Command = options.pop("command")
    with progress() as display, _logging():
        said = list(command({**options, "display": display}))
    for line in said:
        print(line)
    return 0


@contextmanager
def _logging() -> Generator[None]:
    """What hbir logs goes to stderr, above the progress display."""
    logger = logging.getLogger("hbir")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog=TOOL, description="Find where a calibrated model loses accuracy.")
    tools = parser.add_subparsers(required=True, metavar="TOOL", parser_class=CommandParser)
    _add_sensitivity(tools)
    _add_distributions(tools)
    _add_acc_error(tools)
    _add_analysis(tools)
    _add_runall(tools)
    return parser


def _tool(tools: Any, name: str, what: str, command: Command) -> Any:
    """A subcommand with what all take: the model and the data."""
    parser = tools.add_parser(name, help=what, description=what)
    parser.set_defaults(command=command)
    parser.add_argument("model_or_file", help="calibrated model: .bc at the qat level, or .onnx")
    parser.add_argument(
        "calibrated_data",
        help="folder of .npy files; for several inputs a folder in it per input, or A;B;C",
    )
    return parser.add_argument


def _add_sensitivity(tools: Any) -> None:
    what = "what rounding one node, weight or tensor alone costs at the output"
    add = _tool(tools, "get-sensitivity-of-nodes", what, _sensitivity)
    add("-m", "--metrics", default=COSINE, type=_names, help=_METRIC_HELP + ", or a list")
    add("-o", "--output_node", help="compare there instead of at the model's outputs")
    add("-n", "--node_type", default="node", choices=("node", "weight", "activation"))
    add("-d", "--data_num", default=1, type=int, help="samples to average over (default 1)")
    add("-v", "--verbose", action="store_true", help="print the table, too")
    add("-i", "--interested_nodes", type=_names, help="only these nodes")
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)


def _add_distributions(tools: Any) -> None:
    what = "histograms of weights and tensors, before rounding and after"
    add = _tool(tools, "plot-distribution", what, _distribution)
    add("-n", "--nodes_list", type=_names, required=True, help=_NODES_HELP)
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)
    what = "quartiles and extremes of each channel"
    add = _tool(tools, "get-channelwise-data-distribution", what, _channelwise)
    add("-n", "--nodes_list", type=_names, required=True, help=_NODES_HELP)
    add("-a", "--axis", type=int, help="of the channels in your model, 1 in N, C, H, W")
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)
    what = "statistics of the tensors that nodes read, over all samples"
    add = _tool(tools, "tensor-analysis", what, _tensors)
    add("-n", "--node_names", type=_names, required=True, help=_NODES_HELP)
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)
    add("-np", "--num_processes", type=int, default=16, help="samples run at a time")


def _add_acc_error(tools: Any) -> None:
    what = "how the error grows from node to node"
    add = _tool(tools, "plot-acc-error", what, _acc_error)
    add("-q", "--quantize_node", type=_groups, help='only these: "[a,b]", "[[a],[b]]", weight')
    add("-nq", "--non_quantize_node", type=_groups, help="all but these")
    add("-m", "--metric", default=COSINE, help=_METRIC_HELP)
    add("-a", "--average_mode", action="store_true", help="a point is the mean up to it")
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)


def _add_analysis(tools: Any) -> None:
    what = "what taking the most sensitive nodes out of quantization gives back"
    add = _tool(tools, "sensitivity-analysis", what, _analysis)
    add("-m", "--metric", default=COSINE, help=_METRIC_HELP)
    add("-p", "--pick_threshold", type=float, default=0.999, help="nodes worse are sensitive")
    add("-d", "--data_num", default=1, type=int, help="samples to average over (default 1)")
    add("-sn", "--sensitive_nodes", type=_names, help="these instead")
    add("-q", "--qtype", default="float32", help="what they get: float32 or int16")
    add("-os", "--output_separated", action="store_true", help="a picture per output")
    add("-sd", "--save_dir", default=_DEFAULT_FOLDER)


def _add_runall(tools: Any) -> None:
    add = _tool(tools, "runall", "all of the above", _runall)
    add("-s", "--save_dir", default=_DEFAULT_FOLDER)
    add("-nm", "--ns_metrics", default=COSINE, type=_names, help=_METRIC_HELP + ", or a list")
    add("-o", "--output_node")
    add("-nt", "--node_type", choices=("node", "weight", "activation"), help="default: all three")
    add("-dn", "--data_num", default=1, type=int)
    add("-v", "--verbose", action="store_true")
    add("-i", "--interested_nodes", type=_names)
    add("-dnl", "--dis_nodes_list", type=_names, help="default: the most sensitive")
    add("-cn", "--cw_nodes_list", type=_names, help="default: the most sensitive")
    add("-a", "--axis", type=int)
    add("-qn", "--quantize_node", type=_groups)
    add("-nqn", "--non_quantize_node", type=_groups)
    add("-am", "--ae_metric", default=COSINE, help=_METRIC_HELP)
    add("-avm", "--average_mode", action="store_true")
    add("-pt", "--pick_threshold", type=float, default=0.999)
    add("-sn", "--sensitive_nodes", type=_names)


def _groups(text: str) -> Any:
    """A name, `[a,b]`, `a;b`, or lists in a list. Raises HbirError for anything else."""
    text = text.strip()
    if not text.startswith("["):
        return [part.strip() for part in text.split(";") if part.strip()]
    for form in (text, _quoted(text)):
        try:
            given = ast.literal_eval(form)
        except (SyntaxError, ValueError):
            continue
        if _is_of_names(given):
            return given
    raise HbirError(f"expected names such as [a,b], got {text}")


def _is_of_names(given: object) -> bool:
    """Whether it is a list of names, or of lists of names."""
    if not isinstance(given, list):
        return False
    return all(isinstance(entry, str) or _is_of_names(entry) for entry in cast(list[Any], given))


def _quoted(text: str) -> str:
    """A list whose names have no quotes: `[a, [b]]` → `['a', ['b']]`."""
    out, name = "", ""
    for character in text + " ":
        if character in "[],":
            out += (repr(name.strip()) if name.strip() else "") + character
            name = ""
        else:
            name += character
    return out


def _names(text: str) -> list[str]:
    """`a`, `a;b`, `[a,b]` or `['a', 'b']` as a list. Raises HbirError for lists in lists."""
    found = _groups(text)
    if not all(isinstance(name, str) for name in found):
        raise HbirError(f"expected names such as [a,b], got {text}")
    return list(found)


def _sensitivity(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import get_sensitivity_of_nodes

    found = get_sensitivity_of_nodes(**options)
    if options["verbose"]:  # the log has them
        return []
    return [
        " ".join([node, *(f"{metric}={value}" for metric, value in values.items())])
        for node, values in found.items()
    ]


def _distribution(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import plot_distribution

    return _written(plot_distribution(**options))


def _channelwise(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import get_channelwise_data_distribution

    return _written(get_channelwise_data_distribution(**options))


def _acc_error(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import plot_acc_error

    plot_acc_error(**options)
    return _written([options["save_dir"]])


def _analysis(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import sensitivity_analysis

    found = sensitivity_analysis(**options)
    count = len(found.sensitive)
    named = f"{count} sensitive nodes: {', '.join(found.sensitive) or 'none'}"
    return [named, *_written([options["save_dir"]])]


def _tensors(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import tensor_analysis

    options["calibration_data"] = options.pop("calibrated_data")
    tensor_analysis(**options)
    return _written([options["save_dir"]])


def _runall(options: dict[str, Any]) -> Iterable[str]:
    from hbir.ptq.debugger import runall

    return _written([runall(**options)])


def _written(files: Iterable[Any]) -> Iterable[str]:
    return [f"wrote {file}" for file in files]
