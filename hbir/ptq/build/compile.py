"""The last phases: what stands at inputs and outputs is removed, the rest compiled and timed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from hbir import api
from hbir.hbm import Hbm
from hbir.module import Module
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.build.stages import during
from hbir.ptq.config import CompilerParameters

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
    return removed, gone


def compile_model(
    module: Module, files: Artifacts, machine: str, parameters: CompilerParameters
) -> Hbm:
    """Compile a quantized module into the `.hbm` of `files`. Raises StageError."""
    options = compile_options(parameters)
    LOG.info("Start to compile model.")
    LOG.info("compile kwargs: %s", {"opt": parameters.opt, **options})
    with during("hbdk.compile"):
        hbm = api.compile(module, files.path("hbm"), machine, parameters.opt, **options)
    LOG.info(
        "Successfully compile the hbm model, generated hbm model is saved at %s", files.path("hbm")
    )
    return hbm


def compile_options(parameters: CompilerParameters) -> dict[str, Any]:
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


def measure(hbm: Hbm, files: Artifacts) -> None:
    """Static performance: the `.html` and `.json` of each graph. Raises StageError."""
    with during("hbdk.perf"):
        api.hbm_perf(hbm, files.folder)
    LOG.info("Successfully perf the model, reports are in %s", files.folder)
