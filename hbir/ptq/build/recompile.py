"""Compiling a `.bc` again, with a YAML's compiler parameters or those that its `desc` has."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbir import api
from hbir.errors import HbirError
from hbir.hbm import Hbm
from hbir.module import Module
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.build.compile import check_options, compile_model, measure, remove_nodes
from hbir.ptq.build.stages import during
from hbir.ptq.config import CompilerParameters, ModelParameters, recompile_parameters
from hbir.ptq.description import DELETED_NODES, as_text, read_description
from hbir.ptq.display import Display, Silent
from hbir.ptq.yaml_file import Sections, complete_sections, read_sections

LOG = logging.getLogger("hbir.ptq")

DEFAULT_FOLDER = Path("model_output")


@dataclass(frozen=True)
class Recompiled:
    """What came of a `.bc`."""

    files: Artifacts
    hbm: Hbm


@dataclass(frozen=True)
class Recompilation:
    """What is to be done with a `.bc`."""

    model: ModelParameters
    compiler: CompilerParameters
    warnings: tuple[str, ...] = ()


def recompilation(bc: Path, config: Path | None, march: str | None) -> Recompilation:
    """What a YAML file says of compiling `bc`; without one, what the `.bc` remembers.

    march: where neither says one. Raises HbirError.
    """
    if config is not None:
        sections = read_sections(config)
        return Recompilation(*recompile_parameters(sections, config.parent, bc))
    module = api.load(bc)
    known = read_description(module.functions[0].desc) or {}
    sections = _remembered(known, bc, march or known.get("MARCH"))
    return Recompilation(*recompile_parameters(sections, Path(), bc))


def _remembered(known: dict[str, Any], bc: Path, march: str | None) -> Sections:
    """The sections of the YAML that a description was made from, as far as they matter here."""
    model = {
        "march": march,
        "output_model_file_prefix": known.get("MODEL_PREFIX") or bc.stem,
        "working_dir": str(DEFAULT_FOLDER),
        "remove_node_type": known.get("REMOVE_NODE_TYPE"),
        "remove_node_name": known.get("REMOVE_NODE_NAME"),
    }
    names = {
        "optimize_level": "OPTIMIZE_LEVEL",
        "core_num": "CORE_NUM",
        "max_time_per_fc": "MAX_TIME_PER_FC",
        "debug": "DEBUG",
        "advice": "ADVICE",
        "max_l2m_size": "max_l2m_size",
        "extra_params": "EXTRA_PARAMS",
        "compile_mode": "COMPILE_MODE",
    }
    compiler = {key: known.get(name) for key, name in names.items()}
    if compiler["compile_mode"] == "balance":
        compiler["balance_factor"] = known.get("BALANCE_FACTOR")
    # The board's inputs are in the .bc itself; these two must only be there.
    inputs = {"input_type_rt": "featuremap", "input_type_train": "featuremap"}
    return complete_sections(
        {"model_parameters": model, "input_parameters": inputs, "compiler_parameters": compiler}
    )


def recompile(bc: Path, wanted: Recompilation, *, display: Display | None = None) -> Recompiled:
    """Convert (a calibrated module), remove, compile and time a `.bc`. Raises HbirError."""
    shown: Display = display if display is not None else Silent()
    for warning in wanted.warnings:
        LOG.warning("%s", warning)
    module, machine = api.load(bc), wanted.model.machine
    check_options(wanted.compiler, machine)
    LOG.info("The specified model compilation architecture: %s.", wanted.model.march)
    if module.level == "float":
        raise HbirError(
            f"{bc}: a float module; calibrate it first (hb_compile --config with its ONNX model)"
        )
    if module.march is not None and module.march.value != machine:
        raise HbirError(
            f"{bc}: was converted for {module.march.value}, so it can't be compiled for"
            f" {wanted.model.march}"
        )
    files = Artifacts(wanted.model.working_dir, wanted.model.prefix)
    files.make_folder()
    if module.level == "qat":
        module = _converted(module, files, machine, shown)
    types, names = _still_there(module, wanted.model)
    removed, gone = remove_nodes(module, types, names)
    if gone:
        _note_removal(removed, gone)
        with during("hbdk.save"):
            api.save(removed, files.path("removed"))
    with shown.stage("compile"):
        hbm = compile_model(removed, files, machine, wanted.compiler)
    with shown.stage("perf"):
        measure(hbm, files, wanted.compiler.advice)
    return Recompiled(files, hbm)


def _converted(module: Module, files: Artifacts, machine: str, shown: Display) -> Module:
    LOG.info("Start to convert model.")
    with shown.stage("convert"), during("hbdk.convert"):
        quantized = api.convert(module, machine)
    with during("hbdk.save"):
        api.save(quantized, files.path("quantized"))
    LOG.info("Successfully convert model.")
    return quantized


def _still_there(module: Module, model: ModelParameters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types and names to remove, without names that were removed before."""
    gone = {
        name
        for function in module.functions
        for name in ((read_description(function.desc) or {}).get(DELETED_NODES) or "").split(";")
    }
    names = tuple(name for name in model.remove_node_names if name not in gone)
    return model.remove_node_types, names


def _note_removal(module: Module, gone: list[str]) -> None:
    for function in module.functions:
        known = read_description(function.desc)
        if known is None:
            continue
        before = known.get(DELETED_NODES)
        known[DELETED_NODES] = ";".join([*([before] if before else []), *gone])
        function.desc = as_text(known)
