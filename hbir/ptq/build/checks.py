"""What a configuration says about nodes, held against the model; and keys that change nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from onnx import ModelProto

from hbir.ptq.config import Config
from hbir.ptq.yaml_file import ConfigError


def check_nodes(proto: ModelProto, config: Config) -> None:
    """Raises ConfigError for a node that the model doesn't have, and for contradictions."""
    known = {node.name for node in proto.graph.node}
    cpu, bpu = config.calibration.run_on_cpu, config.calibration.run_on_bpu
    for key, names in (
        ("node_info", config.model.node_info),
        ("run_on_cpu", cpu),
        ("run_on_bpu", bpu),
    ):
        for name in names:
            if name not in known:
                raise ConfigError(f"{key}: the model has no node '{name}'{_hint(name, known)}")
    both = sorted(set(cpu) & set(bpu))
    if both:
        raise ConfigError(f"node '{both[0]}' is in run_on_cpu and in run_on_bpu; keep one")


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
