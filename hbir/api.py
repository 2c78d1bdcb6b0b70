"""The verbs of hbir, with the vendor API's names, order and defaults.

load, save, calibrate, convert, schedule, compile, link, statistics, visualize, hbm_perf
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbir.errors import HbirError
from hbir.files import SuffixError, map_file, write_file
from hbir.ir.context import make_context
from hbir.ir.origin import nodes_of
from hbir.ir.storage import read_module
from hbir.ir.verify import verify_module
from hbir.module import Function, Module

if TYPE_CHECKING:
    import os

    from hbir.backend.march import March
    from hbir.hbm import Hbm

MODULE_SUFFIXES = (".bc", ".mlir")

CONVERT_OPTIONS = ("run_on_cpu", "run_on_bpu", "enable_vpu", "enable_spu")
"""Of `convert`, beside march and advice."""

BOARD_OPTIONS = (
    "remote_port", "remote_cores", "username", "password", "local_work_path", "remote_work_root",
    "inputs", "hpm_cycle_unit",
)  # fmt: skip
"""Of `hbm_perf`, where it is given a board."""


def load(path: str | os.PathLike[str]) -> Module:
    """The module of a `.bc` or `.mlir` file, verified. Bytecode and text are told apart by content.

    Weights of bytecode are memory-mapped: loading takes as long as its ops do, and the file must
    stay as it is (hbir replaces files whole, which does no harm). Raises HbirError (a ValueError
    too, for a wrong suffix) that names the file.
    """
    file = Path(path)
    if file.suffix not in MODULE_SUFFIXES:
        raise SuffixError(f"{file}: invalid file. should end with .bc (or .mlir)")
    context = make_context()
    op = read_module(map_file(file), context, str(file))
    try:
        verify_module(op)
    except HbirError as error:
        raise HbirError(f"{file}: {error}") from error
    return Module(op, context)


def save(m: Module, path: str | os.PathLike[str]) -> None:
    """Write a module, constants included, to a `.bc` (MLIR bytecode) or `.mlir` (text) file.

    The file appears whole or not at all. Raises HbirError.
    """
    file = Path(path)
    if file.suffix not in MODULE_SUFFIXES:
        raise SuffixError(f"{file}: invalid file. should end with .bc (or .mlir)")
    write_file(file, m.bytecode() if file.suffix == ".bc" else m.text().encode())


def calibrate(
    m: Module,
    batches: Iterable[Mapping[str, Any]],
    method: str = "max",
    **options: Any,
) -> Module:
    """Optimize `m`, observe `batches` (each input name → array), and place fake-quants.

    method: `max`, `percentile`, `kl`, `mse` or `mix`. `dtype={"Conv_0": "int16"}` chooses types by
    source node, `target_cosine=0.995` widens what costs most until the outputs are that close to
    float. Returns a new module at the qat level. Memory doesn't grow with the number of batches.
    """
    from hbir.quantization.calibrate import calibrate as calibrate_module

    return calibrate_module(m, batches, method=method, **options)


def convert(
    m: Module,
    march: March | str,
    advice: bool = False,
    advice_path: str | os.PathLike[str] = "",
    **options: Any,
) -> Module:
    """The integer module that `march` computes; a new one. `m` must carry fake-quants.

    advice: say which unit takes each op, and why not the BPU: as the file
    `<function>_advice.json` in the folder `advice_path`, or printed without one. options:
    run_on_cpu, run_on_bpu (names of source nodes), enable_vpu, enable_spu; enable_hpc is taken and
    changes nothing, for there is no such unit. Raises HbirError.
    """
    options.pop("enable_hpc", None)
    unknown = sorted(set(options) - set(CONVERT_OPTIONS))
    if unknown:
        raise HbirError(
            f"convert has no option {unknown[0]!r}; it takes {', '.join(CONVERT_OPTIONS)}"
        )
    from hbir.quantization.convert import convert_module

    converted = convert_module(m, march, **options)
    if advice:
        from hbir.reports.advice import give_advice

        give_advice(converted, advice_path)
    return converted


def schedule(m: Module, march: March | str | None = None, opt: int = 2, **options: Any) -> Module:
    """The quantized module with each layer's tiles, order and memory written into the IR."""
    from hbir.compiler import schedule_module

    return schedule_module(m, march, opt=opt, **options)


def best_schedule(
    m: Module, march: March | str | None = None, opt: int = 2, **options: Any
) -> Module:
    """The quantized module with the schedule that `compile` chooses written into the IR."""
    from hbir.compiler import best_schedule

    return best_schedule(m, march, opt=opt, **options)


def compile(
    m: Module,
    path: str | os.PathLike[str],
    march: March | str | None = None,
    opt: int = 2,
    **options: Any,
) -> Hbm:
    """Compile a quantized module into `path` (`.hbm`), and open it.

    opt: 0 no search, 1 a search per layer, 2 layers planned together, with tensors kept on chip
    and constants prefetched. options: balance, core_num, max_time_per_fc, max_l2m_size, cache_mode,
    cache_path and others, as `hbir.compiler.options.CompileOptions` says.
    """
    from hbir.compiler import compile_module

    return compile_module(m, path, march, opt=opt, **options)


def link(*_: Any, **__: Any) -> Hbm:
    """Packing several models into one `.hbm` is not there yet; says so."""
    raise HbirError("link: packing several models into one .hbm is not supported yet; compile each")


def statistics(m: Module, expand_fusion: bool = True) -> list[dict[str, int]]:
    """Op name → count, one dict per function; CPU ops appear as `hbtl.call ...`.

    With `expand_fusion` an op that was fused from several source nodes also counts each of them, as
    `fused Conv`, by their type in the source model.
    """
    if not expand_fusion:
        return [function.statistics() for function in m.functions]
    return [_expanded(function) for function in m.functions]


def _expanded(function: Function) -> dict[str, int]:
    counts = Counter(function.statistics())
    for op in function.operations:
        nodes = nodes_of(op)
        if len(nodes) > 1:
            counts.update(f"fused {node.type}" for node in nodes)
    return dict(sorted(counts.items()))


def visualize(
    m: Module,
    onnx_file: str | os.PathLike[str] | None = None,
    use_netron: bool = False,
    host: str | None = None,
    port: int | None = None,
    save_as_external_data: bool = False,
    external_data_file: str | None = None,
) -> str:
    """Write an ONNX picture of a module at any level, for Netron; returns its path.

    Constants are elided unless `save_as_external_data`; `use_netron` serves the picture and blocks.
    """
    from hbir.reports.visualize import visualize as visualize_module

    return visualize_module(
        m, onnx_file, use_netron, host, port, save_as_external_data, external_data_file
    )


def hbm_perf(
    model: Any,
    output_dir: str | os.PathLike[str] | None = None,
    remote_ip: str | None = None,
    **board: Any,
) -> int:
    """Static performance of a compiled model: prints a summary, writes JSON, HTML and trace.

    remote_ip: of a board, which hbir doesn't run on. board: what else is said of one, which then
    means nothing. Raises HbirError.
    """
    unknown = sorted(set(board) - set(BOARD_OPTIONS))
    if unknown:
        raise HbirError(f"hbm_perf has no option {unknown[0]!r}")
    if remote_ip is not None:
        raise HbirError(
            "hbm_perf: remote_ip: hbir runs on no board; leave it out for static performance"
        )
    from hbir.reports.perf import hbm_perf as perf

    return perf(model, output_dir)
