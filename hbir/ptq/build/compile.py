"""The last phases: what stands at inputs and outputs is removed, the rest compiled and timed."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hbir import api
from hbir.backend.march import load_march
from hbir.compiler.options import compile_options
from hbir.errors import HbirError
from hbir.files import read_text_file
from hbir.hbm import Hbm
from hbir.module import Module
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.build.stages import during
from hbir.ptq.config import CompilerParameters
from hbir.ptq.yaml_file import ConfigError
from hbir.reports.perf import report_stem

LOG = logging.getLogger("hbir.ptq")


def remove_nodes(
    module: Module, types: Sequence[str], names: Sequence[str]
) -> tuple[Module, list[str]]:
    """A new module without the wanted ops at its inputs and outputs, and their names.

    types, names: as `Function.remove_io_op` takes them; names count alone where given.
    """
    removed = module.clone()
    gone: list[str] = []
    with during("hbdk.overlay.remove_io_op"):
        for function in removed.functions:
            gone += function.remove_io_op(types or None, names or None)
    for name in gone:
        LOG.info("Removed node: %s", name)
    for function in removed.functions if not names else ():
        for name, why in function.kept_io_op(types):
            LOG.warning("remove_node_type: %s stays: %s", name, why)
    return removed, gone


def compile_model(
    module: Module, files: Artifacts, machine: str, parameters: CompilerParameters
) -> Hbm:
    """Compile a quantized module into the `.hbm` of `files`. Raises StageError."""
    options = options_of(parameters)
    LOG.info("Start to compile model.")
    LOG.info("compile kwargs: %s", {"opt": parameters.opt, **options})
    with during("hbdk.compile"):
        hbm = api.compile(module, files.path("hbm"), machine, parameters.opt, **options)
    LOG.info(
        "Successfully compile the hbm model, generated hbm model is saved at %s", files.path("hbm")
    )
    return hbm


def check_options(parameters: CompilerParameters, machine: str) -> None:
    """Raises ConfigError, before anything long is begun, for what compiling would refuse."""
    try:
        compile_options(options_of(parameters), load_march(machine))
    except HbirError as error:
        raise ConfigError(f"compiler_parameters: {error}") from None


def options_of(parameters: CompilerParameters) -> dict[str, Any]:
    """The keyword arguments of `hbir.compile`; `extra_params` have the last word."""
    return {
        "jobs": parameters.jobs,
        "balance": parameters.balance,
        "advice": parameters.advice,
        "debug": parameters.debug,
        "core_num": parameters.core_num,
        "max_time_per_fc": float(parameters.max_time_per_fc),
        "max_l2m_size": parameters.max_l2m_size,
        "cache_mode": parameters.cache_mode,
        "cache_path": parameters.cache_path,
        **parameters.extra_params,
    }


def measure(hbm: Hbm, files: Artifacts, advice_us: float = 0.0) -> None:
    """Static performance: the `.html` and `.json` of each graph. Raises StageError.

    advice_us: layers that take longer are named in the log, where it isn't 0.
    """
    with during("hbdk.perf"):
        api.hbm_perf(hbm, files.folder)
    if len(hbm.graphs) == 1:
        _name_reports(files, report_stem(hbm.graphs[0].name))
    LOG.info("Successfully perf the model, reports are in %s", files.folder)
    if advice_us:
        _advise(files.path("perf"), advice_us)


def _name_reports(files: Artifacts, stem: str) -> None:
    """A graph is called as a symbol can be; its reports are called after the prefix."""
    if stem == files.prefix:
        return
    for what in ("perf", "html", "trace"):
        path = files.path(what)
        path.with_name(f"{stem}{path.name.removeprefix(files.prefix)}").replace(path)


def _advise(report: Path, advice_us: float) -> None:
    """Name the slow layers of a report, and what takes their time."""
    layers = json.loads(read_text_file(report))["summary"]["layer details"]
    costs = ("computing cost (us)", "load cost (us)", "store cost (us)")
    for layer in layers:
        name, us = max(((cost, layer[cost]) for cost in costs), key=lambda pair: pair[1])
        if us > advice_us:
            origin = "+".join(layer["origin ops"]) or layer["kind"]
            LOG.warning("advice: layer %s (%s): %s is %.1f", layer["layer name"], origin, name, us)
