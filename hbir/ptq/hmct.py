"""`build_model` and `check_model` with the names and arguments of HMCT.

They take a model and data from memory and give the PTQ ONNX model back; the YAML's keys that HMCT
doesn't know (input types, insertions, compilation) are `hbir.ptq.compile_yaml`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from onnx import ModelProto

from hbir.errors import HbirError
from hbir.exporters.onnx.exporter import export_module
from hbir.frontends.onnx.proto import load_model
from hbir.module import Module
from hbir.onnx import export
from hbir.ptq.build.source import cut_at
from hbir.ptq.calibration_data import random_data
from hbir.ptq.config_values import check_keys, mapping
from hbir.ptq.placement import Placement, placements
from hbir.ptq.quant_config import settings_from
from hbir.ptq.quantize import quantize
from hbir.ptq.stages import (
    optimized,
    prepared,
    quantized_float,
    write_calibrated,
    write_float,
    write_original_float,
    write_ptq,
)
from hbir.quantization.settings import QuantSettings

SERIES = {"nash": "nash-e"}
"""Names of series → the march that stands for them; all have the same arithmetic."""

SHAPE = "input_shape"
"""The key of an entry of input_dict."""

Data = Iterable[Any] | Mapping[str, Iterable[Any]]


def build_model(
    onnx_model: ModelProto | str | None = None,
    march: str = "nash",
    cali_data: Data | None = None,
    quant_config: Mapping[str, Any] | None = None,
    input_dict: Mapping[str, Mapping[str, Any]] | None = None,
    name_prefix: str | None = None,
    verbose: bool = True,  # what is logged is logging's business
    *,
    onnx_file: str | None = None,
    cali_dict: Data | None = None,
    check_mode: bool = False,
    save_model: bool = True,
    output_nodes: Sequence[str] = (),
    node_dict: Mapping[str, Mapping[str, Any]] | None = None,
    **unsupported: Any,
) -> ModelProto:
    """Quantize a model; returns its PTQ ONNX model, with QuantizeLinear and DequantizeLinear.

    cali_data: arrays of the one input, or input name → arrays, in lists or as they come (from
    generators, say); made-up ones where it is left out, or with check_mode. quant_config: as in the
    YAML; node_dict: as its node_config, over which it goes. output_nodes: nodes whose results
    become the only outputs. input_dict: name → {"input_shape": [...]} for
    dynamic inputs. save_model: write the four stage files `{name_prefix}_..._model.onnx`. A model
    that brings its own scales keeps them. Raises HbirError, also for arguments that HMCT has and
    this doesn't.
    """
    if unsupported:
        raise HbirError(f"build_model: {', '.join(sorted(unsupported))} can't be given here")
    source, shapes = _source(onnx_model, onnx_file), _shapes(input_dict)
    if output_nodes:
        whole, _ = load_model(source)
        source = ModelProto()
        source.CopyFrom(whole)  # the user's own stays as it is
        cut_at(source, output_nodes)
    original = export(source, name_prefix, shapes)
    data = None if check_mode else cali_data if cali_data is not None else cali_dict
    base = QuantSettings(march=SERIES.get(march, march), made_up_data=data is None)
    settings = settings_from(quant_config or {}, base)
    settings = settings_from({"node_config": node_dict}, settings)
    ready, module = optimized(original), original
    if original.level == "float":
        module = quantize(original, _samples(original, data), settings, ready=ready).module
    begun = prepared(module)
    if save_model:
        stem = name_prefix if name_prefix is not None else original.functions[0].name
        write_original_float(source, shapes, _named(stem, "original_float"))
        write_float(ready, _named(stem, "optimized_float"))
        write_calibrated(begun, _named(stem, "calibrated"))
        write_ptq(begun, _named(stem, "ptq"))
    return export_module(quantized_float(begun), quantized=True)


def check_model(
    onnx_model: ModelProto | str,
    march: str,
    input_dict: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Placement]:
    """Where each node of a model runs, and for the CPU why and what would help."""
    module = export(_source(onnx_model, None), None, _shapes(input_dict))
    return placements(module, SERIES.get(march, march))


def _named(stem: str, stage: str) -> Path:
    return Path(f"{stem}_{stage}_model.onnx")


def _source(model: ModelProto | str | None, file: str | None) -> ModelProto | str:
    source = model if model is not None else file
    if source is None:
        raise HbirError("give a model as onnx_model, or its path as onnx_file")
    return source


def _shapes(input_dict: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Sequence[int]]:
    shapes: dict[str, Sequence[int]] = {}
    for name, given in mapping("input_dict", input_dict).items():
        entry = mapping(f"input_dict.{name}", given)
        check_keys(f"input_dict.{name}", entry, (SHAPE,))
        if SHAPE in entry:
            shapes[name] = entry[SHAPE]
    return shapes


def _samples(module: Module, data: Data | None) -> Any:
    """The data as mappings from input names to arrays, to be gone through several times."""
    ports = module.functions[0].flatten_inputs
    if data is None:
        return random_data(list(ports))
    if not isinstance(data, Mapping):
        if len(ports) != 1:
            names = ", ".join(port.name for port in ports)
            raise HbirError(
                f"cali_data: the model has several inputs; give a dict by name: {names}"
            )
        data = {ports[0].name: data}
    columns = cast(Mapping[str, Iterable[Any]], data)
    for name, items in columns.items():
        if isinstance(items, str) or not isinstance(cast(object, items), Iterable):
            raise HbirError(
                f"cali_data: input {name!r}: expected its arrays, got a {type(items).__name__}"
            )
    once = any(isinstance(items, Iterator) for items in columns.values())
    return _rows(columns) if once else _Rows(columns)


@dataclass(frozen=True)
class _Rows:
    """A mapping per sample, as often as it is gone through."""

    columns: Mapping[str, Iterable[Any]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return _rows(self.columns)


_END = object()


def _rows(columns: Mapping[str, Iterable[Any]]) -> Iterator[dict[str, Any]]:
    """A mapping per sample. Raises HbirError where columns end at different places."""
    iterators = {name: iter(items) for name, items in columns.items()}
    for count in itertools.count():
        row = {name: next(items, _END) for name, items in iterators.items()}
        ended = [name for name, value in row.items() if value is _END]
        if len(ended) == len(row):
            return
        if ended:
            raise HbirError(
                "cali_data: inputs have different numbers of samples:"
                f" {ended[0]!r} has {count}, others have more"
            )
        yield row
