"""`build`: from a checked configuration to every file of the vendor's flow, phase by phase."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hbir import api
from hbir.custom import register_files
from hbir.errors import HbirError
from hbir.files import write_file
from hbir.hbm import Hbm
from hbir.module import Module
from hbir.onnx import export
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.build.checks import check_batch, check_nodes, without_dissolved, without_effect
from hbir.ptq.build.compile import check_options, compile_model, measure, remove_nodes
from hbir.ptq.build.insert import insert_nodes
from hbir.ptq.build.layer_dump import dump_layers
from hbir.ptq.build.quantize import (
    calibration_data,
    dump_data,
    json_text,
    quantize_module,
)
from hbir.ptq.build.source import inputs_of, load_source, log_model
from hbir.ptq.build.stage_files import StageFiles
from hbir.ptq.build.stages import during
from hbir.ptq.calibration_data import CalibrationData
from hbir.ptq.config import Config
from hbir.ptq.description import DELETED_NODES, as_text, description
from hbir.ptq.display import Display, Silent
from hbir.ptq.model_info import model_info
from hbir.ptq.node_table import NodeTable, output_tensors, rows_of, table_tensors
from hbir.ptq.node_table import measure as measure_cosines
from hbir.ptq.stages import (
    optimized,
    prepared,
    write_calibrated,
    write_float,
    write_original_float,
    write_ptq,
)
from hbir.quantization.dtypes import node_names
from hbir.reports.advice import advice_text

LOG = logging.getLogger("hbir.ptq")

PHASES = ("export", "convert", "compile")
"""What `--skip` may name: the first phase that isn't run any more. Before export come calibration
and quantization."""

DEBUG_VARIABLE = "HORIZON_TC_UI_DEBUG"
"""Set to 1 in the environment, the modules before and after insertions are kept, too."""


@dataclass
class Built:
    """What came of a configuration, as far as it was built."""

    config: Config
    files: Artifacts
    original: Module
    """The float network, as imported."""
    data: CalibrationData
    calibrated: Module
    quant_info: Mapping[str, Any]
    quantized: Module | None = None
    removed: Module | None = None
    deleted: tuple[str, ...] = ()
    table: NodeTable | None = None
    hbm: Hbm | None = None
    plain: Module | None = None
    """`calibrated`, converted without insertions, where that was done on the way."""
    reference: Module | None = None
    """The float network that `calibrated`'s tensors compare with; None where it isn't known."""

    @property
    def machine(self) -> str:
        """The march that it is compiled with."""
        return self.config.model.machine


def build(
    config: Config,
    *,
    skip: str | None = None,
    display: Display | None = None,
    executor: Executor | None = None,
) -> Built:
    """Run the pipeline of a configuration. skip: of PHASES, what to stop before.

    executor: calibration's workers. Raises HbirError, with the stage in it from export on.
    """
    begun_ns = time.time_ns()
    built = _build(config, skip, display, executor)
    old = built.files.older_than(begun_ns)
    if old:
        LOG.warning("of an earlier run, not of this one: %s", ", ".join(old))
    return built


def _build(
    config: Config, skip: str | None, display: Display | None, executor: Executor | None
) -> Built:
    if skip is not None and skip not in PHASES:
        raise HbirError(f"skip is {skip!r}; it is one of {', '.join(PHASES)}")
    shown: Display = display if display is not None else Silent()
    for warning in (*config.warnings, *without_effect(config)):
        LOG.warning("%s", warning)
    check_options(config.compiler, config.model.machine)
    files = Artifacts(config.model.working_dir, config.model.prefix)
    register_files(config.custom_ops.files)
    files.make_folder()
    with StageFiles(files) as stages:
        return _phases(_quantize(config, files, stages, shown, executor), skip, shown)


def _phases(built: Built, skip: str | None, shown: Display) -> Built:
    """What comes after quantization."""
    if skip == "export":
        return built
    inserted = _export(built)
    if skip == "convert":
        return built
    _convert(built, inserted, shown)
    if skip == "compile":
        return built
    config, files = built.config, built.files
    assert built.removed is not None, "convert leaves what is to be compiled"
    with shown.stage("compile"):
        built.hbm = compile_model(built.removed, files, config.model.machine, config.compiler)
    with shown.stage("perf"):
        measure(built.hbm, files, config.compiler.advice)
    LOG.info("%s", "\n".join(["", *model_info(files.path("hbm")).lines()]))
    return built


def _quantize(
    config: Config,
    files: Artifacts,
    stages: StageFiles,
    shown: Display,
    executor: Executor | None,
) -> Built:
    """The float model, calibrated; its stage files are written on the way."""
    with shown.stage("read"):
        proto = load_source(config)
        check_nodes(proto, config)
        specs = inputs_of(proto, config.inputs)
        config = replace(config, inputs=specs)
        LOG.info("Model input names: %s", [spec.name for spec in specs])
        LOG.info("Model has %d inputs according to model file", len(specs))
        LOG.info("node_dict: %s", dict(config.model.node_info))
        LOG.info("The specified model compilation architecture: %s.", config.model.march)
        log_model(proto)
        with during("hbdk.export"):
            original = export(proto, config.model.prefix)
        LOG.info(
            "After constant folding, the number of nodes has changed from %d to %d.",
            len(proto.graph.node),
            len(node_names(original.functions[0].op)),
        )
        config = without_dissolved(config, original)
        check_batch(original, config.input_batch)
        stages.write("original_float", lambda path: write_original_float(proto, None, path))
        ready = optimized(original)
        stages.write("optimized_float", lambda path: write_float(ready, path))
    data = calibration_data(config, original, specs)
    if config.model.debug_mode is not None:
        dump_data(data, files.folder)
    result = quantize_module(original, data, config, shown, executor, ready)
    module = result.module
    _write_quantized_stages(module, stages, is_optimized=module is not original)
    write_file(files.path("quant_info"), json_text(result.quant_info))
    if result.report:
        write_file(files.path("tuned_config"), json_text(result.config))
        write_file(files.path("tuning_report"), result.report.encode())
    return Built(
        config,
        files,
        original,
        data,
        module,
        result.quant_info,
        plain=result.quantized,
        reference=result.reference,
    )


def _write_quantized_stages(module: Module, stages: StageFiles, *, is_optimized: bool) -> None:
    once = cache(lambda: prepared(module, is_optimized=is_optimized))
    stages.write("calibrated", lambda path: write_calibrated(once(), path))
    stages.write("ptq", lambda path: write_ptq(once(), path))


def _export(built: Built) -> Module:
    """The calibrated module with the board's inputs."""
    LOG.info("Start to export model.")
    _keep_for_debugging(built, "ptq_module", built.calibrated)
    module = built.calibrated
    if built.config.model.layer_out_dump:
        module = module.clone()
        LOG.info("layer_out_dump adds the outputs %s", ", ".join(dump_layers(module)))
    inserted = insert_nodes(module, built.config.inputs, built.config.compiler.input_source)
    _keep_for_debugging(built, "inserted_module", inserted)
    LOG.info("Successfully export model.")
    return inserted


def _convert(built: Built, inserted: Module, shown: Display) -> None:
    """The quantized module, written, and without the ops that users do themselves, too."""
    config, files = built.config, built.files
    LOG.info("Start to convert model.")
    with shown.stage("convert"), during("hbdk.convert"):
        quantized = api.convert(inserted, config.model.machine, **placement_options(config))
        write_file(files.path("advice"), advice_text(quantized).encode())
    values = description(config)
    _describe(quantized, values)
    with during("hbdk.save"):
        api.save(quantized, files.path("quantized"))
    built.quantized = quantized
    LOG.info("Successfully convert model.")
    with shown.stage("compare"), during("hbdk.statistics"):
        _report_nodes(built)
    types, names = config.model.remove_node_types, config.model.remove_node_names
    removed, gone = remove_nodes(quantized, types, names)
    if gone:
        values[DELETED_NODES] = ";".join(gone)
        _describe(removed, values)
        with during("hbdk.save"):
            api.save(removed, files.path("removed"))
    built.removed, built.deleted = removed, tuple(gone)


def placement_options(config: Config) -> dict[str, Any]:
    """What a configuration says about where nodes run, as options of `convert`.

    `node_info` wins over `run_on_cpu` and `run_on_bpu`.
    """
    wanted: dict[str, str] = dict.fromkeys(config.calibration.run_on_cpu, "CPU")
    wanted |= dict.fromkeys(config.calibration.run_on_bpu, "BPU")
    wanted |= {name: given["ON"] for name, given in config.model.node_info.items() if "ON" in given}
    return {
        "run_on_cpu": [name for name, unit in wanted.items() if unit == "CPU"],
        "run_on_bpu": [name for name, unit in wanted.items() if unit == "BPU"],
        "enable_vpu": config.model.enable_vpu,
        "enable_spu": config.model.enable_spu,
    }


def _report_nodes(built: Built) -> None:
    """The node table, on the console and as a file; cosines only where the data are real."""
    assert built.quantized is not None, "the table is about the quantized module"
    calibrated: dict[str, float] = {}
    quantized: dict[str, float] = {}
    rows, outputs = tuple(rows_of(built.quantized)), output_tensors(built.quantized)
    if not built.data.random:
        plain = built.quantized if not _inserts(built.config) else _without_insertions(built)
        levels = (built.calibrated, plain)
        names = table_tensors(rows, outputs)
        reference = built.reference or built.original
        calibrated, quantized = measure_cosines(reference, levels, built.data, names)
    built.table = NodeTable(rows, outputs, calibrated, quantized)
    LOG.info("The node information of the quantized model:\n%s", built.table.text())
    write_file(built.files.path("node_info"), built.table.csv().encode())


def _inserts(config: Config) -> bool:
    """Whether the board's inputs are other than the network's."""
    return any(spec.is_image or spec.separate_batch for spec in config.inputs)


def _without_insertions(built: Built) -> Module:
    """The quantized module of the network's own inputs: by quantization's trial where it judged
    just this one."""
    options = placement_options(built.config)
    placed = options["run_on_cpu"] or options["run_on_bpu"]
    free = not placed and options["enable_vpu"] and options["enable_spu"]
    plain = built.plain
    if free and plain is not None and str(plain.march) == built.machine:
        return plain
    return api.convert(built.calibrated, built.machine, **options)


def _describe(module: Module, values: dict[str, Any]) -> None:
    for function in module.functions:
        function.desc = as_text(values)


def _keep_for_debugging(built: Built, what: str, module: Module) -> None:
    if os.environ.get(DEBUG_VARIABLE) == "1":
        with during("hbdk.save"):
            api.save(module, built.files.path(what))
