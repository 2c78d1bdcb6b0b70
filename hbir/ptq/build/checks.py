"""What a configuration says about nodes, held against the model; and keys that change nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from onnx import ModelProto

from hbir.errors import did_you_mean
from hbir.module import Module
from hbir.ptq.calibration_data import CalibrationData
from hbir.ptq.config import Config
from hbir.ptq.inputs import InputSpec
from hbir.ptq.yaml_file import ConfigError
from hbir.quantization.dtypes import node_names

LOG = logging.getLogger("hbir.ptq")

HIGHEST_PIXEL = 255.0
SAMPLES_JUDGED = 8
WIDEST, NARROWEST = 1.2, 0.02
"""Of the range that normalised pixels can have, what those of some pictures span: resizing may
overshoot a little, and eight pictures of hardly any contrast are none."""


def check_nodes(proto: ModelProto, config: Config) -> None:
    """Raises ConfigError for a node that the model doesn't have, and for contradictions."""
    known = {node.name for node in proto.graph.node}
    cut = ", cut at output_nodes," if config.model.output_nodes else ""
    for key, name in _named_nodes(config):
        if name not in known:
            hint = did_you_mean(name, known)
            raise ConfigError(f"{key}: the model{cut} has no node '{name}'{hint}")
    both = sorted(set(config.calibration.run_on_cpu) & set(config.calibration.run_on_bpu))
    if both:
        raise ConfigError(f"node '{both[0]}' is in run_on_cpu and in run_on_bpu; keep one")


def without_dissolved(config: Config, network: Module) -> Config:
    """The configuration without what it says, in vain, of nodes that nothing is left of.

    network: the imported model, in which identities and what computes constants are no ops.
    """
    known = node_names(network.functions[0].op)
    for key, name in _named_nodes(config):
        if name not in known:
            LOG.warning("%s: node '%s' computes nothing, so this changes nothing", key, name)
    info = {name: given for name, given in config.model.node_info.items() if name in known}
    cpu, bpu = (
        tuple(filter(known.__contains__, names))
        for names in (config.calibration.run_on_cpu, config.calibration.run_on_bpu)
    )
    return replace(
        config,
        model=replace(config.model, node_info=info),
        calibration=replace(config.calibration, run_on_cpu=cpu, run_on_bpu=bpu),
    )


def check_batch(network: Module, batch: int | None) -> None:
    """Warn of results that don't have the batch that `input_batch` gives the inputs."""
    for port in network.functions[0].flatten_outputs if batch is not None else ():
        shape = list(port.type.shape)
        if shape[:1] != [batch]:
            LOG.warning(
                "input_batch is %d, but output '%s' is %s: a node inside, often a Reshape, has the"
                " model's own batch written into it; export the model with an open batch",
                *(batch, port.name, shape),
            )


def _named_nodes(config: Config) -> list[tuple[str, str]]:
    """(key, node) of every node that the configuration names."""
    places = config.calibration
    named = {
        "node_info": config.model.node_info,
        "run_on_cpu": places.run_on_cpu,
        "run_on_bpu": places.run_on_bpu,
    }
    return [(key, name) for key, names in named.items() for name in names]


def check_ranges(data: CalibrationData, specs: Sequence[InputSpec]) -> None:
    """Warn of images that aren't normalised as mean_value, scale_value and std_value say.

    Calibration data are what the float model takes; in the older toolchain they were pixels.
    """
    images = [spec for spec in specs if spec.is_image]
    seen = {spec.name: (np.inf, -np.inf) for spec in images}
    for sample in islice(data, SAMPLES_JUDGED if images else 0):
        for name, (low, high) in seen.items():
            seen[name] = (min(low, sample[name].min()), max(high, sample[name].max()))
    for spec in images:
        lowest, highest = _pixel_range(spec)
        low, high = seen[spec.name]
        if not NARROWEST <= (high - low) / (highest - lowest) <= WIDEST:
            LOG.warning(
                "cal_data_dir: the data of input '%s' lie in %.4g...%.4g; pixels, normalised as the"
                " file says, lie in %.4g...%.4g. Save what the float model takes, normalised, and"
                " give the mean_value and scale_value that it was trained with",
                *(spec.name, low, high, lowest, highest),
            )


def _pixel_range(spec: InputSpec) -> tuple[float, float]:
    """What 0...255 become at the model's input, over all channels."""
    mean, std = np.asarray(spec.mean or (0.0,)), np.asarray(spec.std or (1.0,))
    ends = np.concatenate([(0.0 - mean) / std, (HIGHEST_PIXEL - mean) / std])
    return float(ends.min()), float(ends.max())


def without_effect(config: Config) -> list[str]:
    """A sentence for each key that is set and changes nothing."""
    compiler = config.compiler
    notes: list[str] = []
    if not compiler.debug:
        notes.append("debug: false changes nothing; layer details are always kept in the .hbm")
    if compiler.ability_entry is not None:
        notes.append("ability_entry changes nothing; it is written into the description")
    if not config.model.enable_vpu:
        notes.append(
            "enable_vpu: false keeps ops off the vector unit, but for quantizing at inputs and"
            " dequantizing at outputs; remove those with remove_node_type: Quantize;Dequantize"
        )
    return notes
