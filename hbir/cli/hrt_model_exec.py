"""`hrt_model_exec`: the board's model runner, simulated: `model_info`, `infer` and `perf`.

Options and printed lines are those of the vendor's tool, so that scripts that drive and parse it
carry over. `infer` computes with the simulator, bit for bit; times come from the modelled timeline.
With several models, `perf` runs them beside each other, and `--task_priority`, `--core_id` and
`--thread_num` may give a value per model, joined by `;`.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hbir.backend.march import Machine, load_march
from hbir.cli.command import CommandParser, run_command
from hbir.cli.run import file_names
from hbir.errors import HbirError
from hbir.files import read_array, read_file, write_file
from hbir.hbm import Graph, Hbm
from hbir.interface import Argument
from hbir.reports.board_report import Measured, measured, perf_lines, profiler_csv, profiler_log
from hbir.runtime.board import MAX_PRIORITY, Workload, call_costs, simulate

Array = np.ndarray[Any, Any]

MAX_THREADS = 32

TENSOR_TYPES = {
    "int8": "S8", "uint8": "U8", "int16": "S16", "uint16": "U16", "int32": "S32",
    "uint32": "U32", "int64": "S64", "uint64": "U64", "float16": "F16", "float32": "F32",
    "float64": "F64", "bool": "BOOL8",
}  # fmt: skip
"""NumPy dtype → the end of HB_DNN_TENSOR_TYPE_."""

UNSUPPORTED = {
    "input_stride": "give inputs dense; the simulator lays them out",
    "input_img_properties": "give Y and UV as inputs of their own",
}
"""Options of the board's tool that the simulation has no use for → what to do instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _parser().parse_args(argv)
    commands = {"model_info": _model_info, "infer": _infer, "perf": _perf}
    return run_command(lambda: commands[options.command](options))


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="hrt_model_exec",
        description="Run .hbm models on a simulated board: what they are, give and take.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("command", choices=("model_info", "infer", "perf"))
    add("--model_file", required=True, metavar="FILE[,FILE]", help=".hbm files")
    add("--model_name", default="", help="one model of a packed .hbm; all by default")
    add("--core_id", default="0", help="0 any, 1 core 0, 2 core 1, ...; lists with ','")
    add("--thread_num", default="1", help=f"1...{MAX_THREADS}")
    add("--frame_count", type=int, default=200, help="perf: frames of all threads; infer: of one")
    add("--perf_time", type=float, default=0.0, help="minutes, instead of --frame_count")
    add("--perf_time_in_seconds", type=float, default=0.0, help="seconds, likewise")
    add("--profile_path", default="", help="a folder for profiler.log and profiler.csv")
    add("--enable_warmup", type=_flag, default=True, help="leave out each thread's first frame")
    add("--enable_mem_lru", type=_flag, default=True, help="without effect here")
    add("--task_priority", default="0", help="0...255; 254 and 255 preempt")
    add("--task_timeout", type=float, default=0.0, help="ms; 0 for none")
    add(
        "--input_file", default="", metavar="FILE[,FILE]", help="infer: .npy, or raw .bin, in order"
    )
    add("--enable_dump", type=_flag, default=False, help="infer: write the outputs")
    add("--dump_format", choices=("bin", "txt", "npy"), default="bin")
    add("--dump_path", default=".", metavar="DIR")
    add("--dump_intermediate", type=int, default=0,
        help="infer with --enable_dump: above 0 write every tensor on the way, too")  # fmt: skip
    add(
        "--input_valid_shape", default="", metavar="SHAPE[;SHAPE]",
        help="infer: 1,300,300,1;1,150,150,2 of raw inputs whose extents are open, in order",
    )  # fmt: skip
    add("--input_stride", default="")
    add("--input_img_properties", default="")
    for without_effect in ("--log_level", "--statistic_cycle", "--internal_use"):
        add(without_effect, default="", help="without effect here")
    return parser


def _flag(text: str) -> bool:
    """A boolean as the board's tool takes it."""
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"{text!r} is not true or false")
    return values[text.lower()]


def _graphs(options: argparse.Namespace) -> list[tuple[Hbm, Graph]]:
    """The models of the files, or the one that is named."""
    for name, instead in UNSUPPORTED.items():
        if getattr(options, name):
            raise HbirError(f"--{name} is not supported: {instead}")
    files = [Hbm(path) for path in options.model_file.split(",")]
    found = [(hbm, graph) for hbm in files for graph in hbm.graphs]
    if not options.model_name:
        return found
    named = [(hbm, graph) for hbm, graph in found if graph.name == options.model_name]
    if not named:
        names = ", ".join(graph.name for _, graph in found)
        raise HbirError(f"--model_name {options.model_name}: no such model; there is {names}")
    return named


# ------------------------------------------------------------------------ model_info


def _model_info(options: argparse.Namespace) -> int:
    for path in options.model_file.split(","):
        size_bytes = len(read_file(path))
        hbm = Hbm(path)
        machine = load_march(hbm.march_name)
        cost_ms = size_bytes / machine.ddr.bandwidth_gb_per_s / 1e6
        print(f"Load model to DDR cost {cost_ms:.3f}ms.")
        count = len(hbm.graphs)
        print(f"This model file has {count} {'model' if count == 1 else 'models'}:")
        print("".join(f"[{graph.name}]" for graph in hbm.graphs))
    for _, graph in _graphs(options):
        print(f"{'-' * 68}\n[model name]: {graph.name}\n")
        for kind, ports, tensors in (
            ("input", graph.flatten_inputs, graph.program.inputs),
            ("output", graph.flatten_outputs, graph.program.outputs),
        ):
            for i, (port, tensor) in enumerate(zip(ports, tensors, strict=True)):
                print(f"{kind}[{i}]:")
                size = -1 if port.type.open_axes else tensor.buffer_bytes
                print("\n".join(_tensor_lines(port, size, tensor.strides)), end="\n\n")
    return 0


def _tensor_lines(port: Argument, buffer_bytes: int, strides: Sequence[int]) -> list[str]:
    info = port.type.quant_info
    lines = [
        f"name: {port.name}",
        f"valid shape: {_tuple_text(port.type.valid_shape)}",
        f"aligned byte size: {buffer_bytes}",
        f"tensor type: HB_DNN_TENSOR_TYPE_{TENSOR_TYPES[str(port.type.np_dtype)]}",
        f"quanti type: {'SCALE' if info.scales else 'NONE'}",
        f"stride: {_tuple_text(strides)}",
    ]
    if info.scales:
        scales = ",".join(f"{scale:g}" for scale in info.scales)
        zeros = ",".join(map(str, info.zero_points or (0,)))
        lines += [f"scale data: {scales},", f"zero_point data: {zeros},"]
        lines.append(f"quantizeAxis: {0 if info.channel_axis is None else info.channel_axis}")
    if port.desc:
        lines.append(f"desc: {port.desc}")
    return lines


def _tuple_text(values: Sequence[int]) -> str:
    return "(" + "".join(f"{value}," for value in values) + ")"


# ----------------------------------------------------------------------------- infer


def _infer(options: argparse.Namespace) -> int:
    graphs = _graphs(options)
    if len(graphs) != 1:
        names = ", ".join(graph.name for _, graph in graphs)
        raise HbirError(f"infer runs one model; choose with --model_name one of {names}")
    ((hbm, graph),) = graphs
    files = [file for file in options.input_file.split(",") if file]
    ports = graph.flatten_inputs
    if len(files) != len(ports):
        names = ", ".join(port.name for port in ports)
        raise HbirError(f"--input_file gives {len(files)} files, the model takes {names}")
    shapes = _valid_shapes(options.input_valid_shape, ports)
    feed = {p.name: _read_input(f, p, shapes[p.name]) for f, p in zip(files, ports, strict=True)}
    workload = _workload(load_march(hbm.march_name), hbm, graph)
    (frame,) = simulate(1, [replace(workload, frames=1)])
    print(f"{'-' * 21}Frame 0 begin{'-' * 21}")
    dumped: dict[str, Array] = {}
    wants_all = options.enable_dump and options.dump_intermediate > 0
    outputs = graph.feed(feed, (lambda n, a, _: dumped.update({n: a})) if wants_all else None)
    dumped.update(outputs)
    print(f"Infer time: {frame.latency_us / 1000:.3f} ms")
    if options.enable_dump:
        _dump(dumped, Path(options.dump_path), options.dump_format)
    print(f"{'-' * 21}Frame 0 end{'-' * 21}")
    return 0


def _valid_shapes(text: str, ports: Sequence[Argument]) -> dict[str, tuple[int, ...] | None]:
    """By input its shape in this run; None where an open one isn't given."""
    given = [part.strip() for part in text.split(";")] if text else []
    if len(given) > len(ports):
        raise HbirError(
            f"--input_valid_shape gives {len(given)} shapes, the model has {len(ports)} inputs"
        )
    shapes: dict[str, tuple[int, ...] | None] = {
        port.name: None if port.type.open_axes else port.type.shape for port in ports
    }
    for port, part in zip(ports, given, strict=False):
        extents = [extent.strip() for extent in part.rstrip(",").split(",")]
        shape = tuple(int(extent) if extent.isdecimal() else 0 for extent in extents)
        if not port.type.takes(shape):
            raise HbirError(
                f"--input_valid_shape {part}: input {port.name!r} takes {port.type.shape_text}"
            )
        shapes[port.name] = shape
    return shapes


def _read_input(file: str, port: Argument, shape: tuple[int, ...] | None) -> Array:
    """A `.npy`, a `.txt` of numbers, or the input's elements as they lie in memory."""
    if file.endswith(".npy"):
        return read_array(file)
    if shape is None:
        raise HbirError(
            f"{file}: input {port.name!r} is {port.type.shape_text}; give its shape with"
            " --input_valid_shape, or a .npy"
        )
    data = read_file(file)
    dtype = port.type.np_dtype
    if file.endswith(".txt"):
        return _read_numbers(file, data, port).reshape(shape)
    expected = int(np.prod(shape)) * dtype.itemsize
    if len(data) != expected:
        raise HbirError(
            f"{file}: holds {len(data)} bytes; input {port.name!r} of {list(shape)} {dtype} takes"
            f" {expected}, dense"
        )
    return np.frombuffer(data, dtype).reshape(shape)


def _read_numbers(file: str, data: bytes, port: Argument) -> Array:
    words = data.split()
    expected = int(np.prod(port.type.shape))
    try:
        numbers = np.array(words, np.float64)
    except ValueError:
        numbers = np.zeros(0)
    array = numbers.astype(port.type.np_dtype)
    if len(numbers) != expected or not np.array_equal(array, numbers):
        raise HbirError(
            f"{file}: expected {expected} numbers of {port.type.np_dtype} with spaces between, as"
            f" input {port.name!r} takes"
        )
    return array


def _dump(outputs: dict[str, Array], folder: Path, kind: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"--dump_path {folder}: can't be made ({error.strerror})") from None
    for name, file_name in file_names(list(outputs)).items():
        array = outputs[name]
        data = io.BytesIO()
        if kind == "npy":
            np.save(data, array, allow_pickle=False)
        elif kind == "txt":
            np.savetxt(data, array.reshape(-1), "%.9g" if array.dtype.kind == "f" else "%d")
        else:
            data.write(np.ascontiguousarray(array).tobytes())
        file = folder / (file_name.removesuffix(".npy") + f".{kind}")
        write_file(file, data.getvalue())
        print(f"{file}: written")


# ------------------------------------------------------------------------------ perf


def _perf(options: argparse.Namespace) -> int:
    graphs = _graphs(options)
    machines = {hbm.march_name: load_march(hbm.march_name) for hbm, _ in graphs}
    if len(machines) > 1:
        raise HbirError(f"the models are for different marches: {', '.join(sorted(machines))}")
    (machine,) = machines.values()
    seconds = options.perf_time_in_seconds or 60 * options.perf_time
    if seconds < 0 or options.frame_count < 1 or options.task_timeout < 0:
        raise HbirError("--perf_time, --task_timeout must not be negative, --frame_count be >= 1")
    columns = {
        name: _per_model(options, name, len(graphs))
        for name in ("thread_num", "task_priority", "core_id")
    }
    workloads = [
        replace(
            _workload(machine, hbm, graph),
            threads=_bounded("thread_num", columns["thread_num"][i], 1, MAX_THREADS),
            priority=_bounded("task_priority", columns["task_priority"][i], 0, MAX_PRIORITY),
            cores=_cores(columns["core_id"][i], machine, hbm.program.cores),
            frames=0 if seconds else options.frame_count,
            warmup_frames=int(options.enable_warmup),
            timeout_us=1000 * options.task_timeout,
        )
        for i, (hbm, graph) in enumerate(graphs)
    ]
    frames = simulate(machine.cores, workloads, 1e6 * seconds)
    parts = measured(workloads, frames)
    for part, core_id, (_, graph) in zip(parts, columns["core_id"], graphs, strict=True):
        untimed = [node.signature for node in graph.nodes if node.device == "Cpu"]
        if untimed:
            print(f"{graph.name}: on the CPU, not timed: {', '.join(untimed)}")
        if len(parts) > 1:
            print(f"[model name]: {part.workload.name}")
        print("\n".join(perf_lines(part)))
        if options.profile_path:
            _profile(Path(options.profile_path), part, core_id, several=len(parts) > 1)
    return 0


def _profile(folder: Path, part: Measured, core_id: str, *, several: bool) -> None:
    target = folder / part.workload.name if several else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"--profile_path {target}: can't be made ({error.strerror})") from None
    write_file(target / "profiler.log", profiler_log(part, core_id).encode())
    write_file(target / "profiler.csv", profiler_csv(part).encode())


def _workload(machine: Machine, hbm: Hbm, graph: Graph) -> Workload:
    return Workload(
        graph.name,
        call_costs(machine, hbm.program, graph.program),
        hbm.program.cores,
        machine.launch_us(graph.program.io_bytes),
    )


def _per_model(options: argparse.Namespace, name: str, count: int) -> list[str]:
    values: list[str] = getattr(options, name).split(";")
    if len(values) not in (1, count):
        raise HbirError(
            f"--{name} gives {len(values)} values for {count} models; give 1 or {count}"
        )
    return values * (count if len(values) == 1 else 1)


def _bounded(name: str, text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise HbirError(f"--{name} {text}: expected {low}...{high}")
    return int(text)


def _cores(text: str, machine: Machine, needed: int) -> frozenset[int]:
    """`0` any core; `1` core 0, `2` core 1, ..., lists of them for models of several cores."""
    numbers = [_bounded("core_id", part, 0, machine.cores) for part in text.split(",")]
    chosen = frozenset[int]() if 0 in numbers else frozenset(number - 1 for number in numbers)
    if chosen and len(chosen) < needed:
        raise HbirError(f"--core_id {text}: the model runs on {needed} cores; name as many")
    if needed > machine.cores:
        raise HbirError(f"march {machine.name} has {machine.cores} cores, the model takes {needed}")
    return chosen
