"""What a configuration says about nodes, held against the model; and keys that change nothing."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable
from dataclasses import replace

from onnx import ModelProto

from hbir.module import Module
from hbir.ptq.config import Config
from hbir.ptq.yaml_file import ConfigError
from hbir.quantization.dtypes import node_names

LOG = logging.getLogger("hbir.ptq")


def check_nodes(proto: ModelProto, config: Config) -> None:
    """Raises ConfigError for a node that the model doesn't have, and for contradictions."""
    known = {node.name for node in proto.graph.node}
    for key, name in _named_nodes(config):
        if name not in known:
            raise ConfigError(f"{key}: the model has no node '{name}'{_hint(name, known)}")
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


def _named_nodes(config: Config) -> list[tuple[str, str]]:
    """(key, node) of every node that the configuration names."""
    places = config.calibration
    named = {
        "node_info": config.model.node_info,
        "run_on_cpu": places.run_on_cpu,
        "run_on_bpu": places.run_on_bpu,
    }
    return [(key, name) for key, names in named.items() for name in names]


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


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
