"""`HB_HBMRuntime`: the models of `.hbm` files, what they are, and running them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np

import hbir
from hbir.backend.march import load_march
from hbir.hbm import Graph, Hbm
from hbir.hbm_runtime.checks import (
    RuntimeValueError,
    check_inputs,
    integer,
    only_one,
    per_model,
)
from hbir.hbm_runtime.types import (
    ANY_CORE,
    MAX_PRIORITY,
    QuantParams,
    SchedParam,
    data_type,
    hbDNNDataType,
    quantization,
)
from hbir.interface import Argument, Array, Ports

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Model:
    graph: Graph
    cores: int
    """Of the chip."""
    lock: Lock = field(default_factory=Lock)
    """A simulator has one set of memories; threads take turns."""


class HB_HBMRuntime:
    """The models of one or several `.hbm` files. Everything but `run` and `set_scheduling_params`
    is read-only: each access gives a new object.

    Raises HbirError for files that are no `.hbm`, and where two have a model of the same name.
    """

    version: str = hbir.__version__
    """The version of the runtime: hbir's."""

    def __init__(
        self,
        model_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        *,
        model_files: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        given = [model_file] if isinstance(model_file, str | os.PathLike) else list(model_file)
        files = [*given, *model_files]
        if not files:
            raise RuntimeValueError("HB_HBMRuntime takes the path of a .hbm file, or a list")
        self._hbms = {os.fspath(file): Hbm(file) for file in files}
        self._models: dict[str, _Model] = {}
        for path, hbm in self._hbms.items():
            cores = load_march(hbm.march_name).cores
            for graph in hbm.graphs:
                if graph.name in self._models:
                    raise RuntimeValueError(
                        f"{path}: a model {graph.name!r} is loaded already; names must differ"
                    )
                self._models[graph.name] = _Model(graph, cores)
        self._scheduling = {name: SchedParam() for name in self._models}

    # ------------------------------------------------------------------ what is loaded

    @property
    def model_names(self) -> list[str]:
        """The models, in the order of the files."""
        return list(self._models)

    @property
    def model_count(self) -> int:
        """How many models there are."""
        return len(self._models)

    @property
    def model_descs(self) -> dict[str, str]:
        """Model → its description."""
        return self._of_models(lambda graph: graph.desc)

    @property
    def hbm_descs(self) -> dict[str, str]:
        """File, as it was given → its description."""
        return {
            path: str(hbm.program.information.get("desc", "")) for path, hbm in self._hbms.items()
        }

    @property
    def compile_bpu_core_num(self) -> dict[str, int]:
        """Model → how many cores it was compiled for."""
        return self._of_models(lambda graph: graph.num_cores)

    @property
    def input_counts(self) -> dict[str, int]:
        """Model → number of inputs."""
        return self._of_models(lambda graph: len(graph.flatten_inputs))

    @property
    def output_counts(self) -> dict[str, int]:
        """Model → number of outputs."""
        return self._of_models(lambda graph: len(graph.flatten_outputs))

    @property
    def input_names(self) -> dict[str, list[str]]:
        """Model → its inputs' names, in order."""
        return self._of_models(lambda graph: [port.name for port in graph.flatten_inputs])

    @property
    def output_names(self) -> dict[str, list[str]]:
        """Model → its outputs' names, in order."""
        return self._of_models(lambda graph: [port.name for port in graph.flatten_outputs])

    @property
    def input_descs(self) -> dict[str, dict[str, str]]:
        """Model → input → description."""
        return self._of_inputs(lambda port: port.desc)

    @property
    def output_descs(self) -> dict[str, dict[str, str]]:
        """Model → output → description."""
        return self._of_outputs(lambda port: port.desc)

    @property
    def input_shapes(self) -> dict[str, dict[str, list[int]]]:
        """Model → input → shape, −1 where each run gives the extent."""
        return self._of_inputs(_shape)

    @property
    def output_shapes(self) -> dict[str, dict[str, list[int]]]:
        """Model → output → shape."""
        return self._of_outputs(_shape)

    @property
    def input_dtypes(self) -> dict[str, dict[str, hbDNNDataType]]:
        """Model → input → element type."""
        return self._of_inputs(data_type)

    @property
    def output_dtypes(self) -> dict[str, dict[str, hbDNNDataType]]:
        """Model → output → element type."""
        return self._of_outputs(data_type)

    @property
    def input_quants(self) -> dict[str, dict[str, QuantParams]]:
        """Model → input → quantization."""
        return self._of_inputs(quantization)

    @property
    def output_quants(self) -> dict[str, dict[str, QuantParams]]:
        """Model → output → quantization."""
        return self._of_outputs(quantization)

    @property
    def input_strides(self) -> dict[str, dict[str, list[int]]]:
        """Model → input → bytes from element to element, −1 where a run's shape decides."""
        return self._of_models(
            lambda graph: {
                port.name: _strides(port, tensor.strides)
                for port, tensor in zip(graph.flatten_inputs, graph.program.inputs, strict=True)
            }
        )

    @property
    def output_strides(self) -> dict[str, dict[str, list[int]]]:
        """Model → output → bytes from element to element."""
        return self._of_models(
            lambda graph: {tensor.name: list(tensor.strides) for tensor in graph.program.outputs}
        )

    @property
    def sched_params(self) -> dict[str, SchedParam]:
        """Model → its scheduling parameters, as `set_scheduling_params` left them."""
        return {
            name: replace(given, bpu_cores=list(given.bpu_cores))
            for name, given in self._scheduling.items()
        }

    def _of_models(self, value: Callable[[Graph], T]) -> dict[str, T]:
        return {name: value(model.graph) for name, model in self._models.items()}

    def _of_inputs(self, value: Callable[[Argument], T]) -> dict[str, dict[str, T]]:
        return self._of_models(lambda graph: _of_ports(graph.flatten_inputs, value))

    def _of_outputs(self, value: Callable[[Argument], T]) -> dict[str, dict[str, T]]:
        return self._of_models(lambda graph: _of_ports(graph.flatten_outputs, value))

    # ------------------------------------------------------------------ scheduling

    def set_scheduling_params(
        self,
        priority: Mapping[str, int] | None = None,
        bpu_cores: Mapping[str, Sequence[int]] | None = None,
        custom_id: Mapping[str, int] | None = None,
        device_id: Mapping[str, int] | None = None,
    ) -> None:
        """Set what later runs are scheduled by, per model; what isn't given stays.

        Raises RuntimeValueError for models that aren't loaded and values out of range; nothing is
        changed then.
        """
        self._scheduling = self._scheduled(priority, bpu_cores, custom_id, device_id)

    def _scheduled(
        self,
        priority: Mapping[str, int] | None,
        bpu_cores: Mapping[str, Sequence[int]] | None,
        custom_id: Mapping[str, int] | None,
        device_id: Mapping[str, int] | None,
    ) -> dict[str, SchedParam]:
        found = dict(self._scheduling)
        for name, value in per_model("priority", priority):
            number = integer("priority", name, value, 0, MAX_PRIORITY)
            found[name] = replace(self._of(found, name), priority=number)
        for name, value in per_model("bpu_cores", bpu_cores):
            cores = self._cores(name, value)
            found[name] = replace(self._of(found, name), bpu_cores=cores)
        for name, value in per_model("custom_id", custom_id):
            number = integer("custom_id", name, value, -(1 << 63), (1 << 63) - 1)
            found[name] = replace(self._of(found, name), customId=number)
        for name, value in per_model("device_id", device_id):
            number = integer("device_id", name, value, 0, 0)
            found[name] = replace(self._of(found, name), deviceId=number)
        return found

    def _of(self, scheduling: Mapping[str, SchedParam], name: str) -> SchedParam:
        self._model(name)
        return scheduling[name]

    def _cores(self, name: str, value: object) -> list[int]:
        last = self._model(name).cores - 1
        if not isinstance(value, Sequence) or not value:
            raise RuntimeValueError(f"bpu_cores of {name!r}: expected a list, got {value!r}")
        items = cast("Sequence[object]", value)
        cores = [integer("bpu_cores", name, item, ANY_CORE, last) for item in items]
        if len(set(cores)) != len(cores) or (ANY_CORE in cores and len(cores) > 1):
            raise RuntimeValueError(
                f"bpu_cores of {name!r}: {cores} names a core twice, or any beside others"
            )
        return cores

    # ------------------------------------------------------------------ running

    def run(
        self,
        inputs: Any = None,
        model_name: str | None = None,
        priority: Mapping[str, int] | None = None,
        bpu_cores: Mapping[str, Sequence[int]] | None = None,
        custom_id: Mapping[str, int] | None = None,
        device_id: Mapping[str, int] | None = None,
        **named: Any,
    ) -> dict[str, dict[str, Array]]:
        """Model → output → array.

        inputs: the array of a model's only input, input → array, or model → input → array for
        several models; also by the name that the board's manual gives it, `input_tensor`,
        `input_tensors` or `multi_input_tensors`. model_name: which model; only a single one may go
        without, and of several models' inputs it chooses one's. The other parameters are for this
        call. Threads may call it at once. Raises RuntimeValueError for what doesn't fit the model.
        """
        given = only_one(inputs, named)
        self._scheduled(priority, bpu_cores, custom_id, device_id)
        feeds = self._feeds(given, model_name)
        for name, feed in feeds.items():
            check_inputs(name, self._models[name].graph, feed)
        return {name: self._run(self._models[name], feed) for name, feed in feeds.items()}

    def _feeds(self, given: object, model_name: str | None) -> dict[str, Mapping[str, Any]]:
        """Model → its inputs by name, of the three forms."""
        if isinstance(given, Mapping):
            arrays = cast("Mapping[str, Any]", given)
            nested = [isinstance(value, Mapping) for value in arrays.values()]
            if not nested or any(nested) != all(nested):
                raise RuntimeValueError(
                    "run takes input name -> array, or model name -> input name -> array"
                )
            if not nested[0]:
                return {self._chosen(model_name): arrays}
            for name in arrays:
                self._model(name)
            if model_name is None:
                return dict(arrays)
            self._model(model_name)
            if model_name not in arrays:
                raise RuntimeValueError(f"no inputs are given for model {model_name!r}")
            return {model_name: arrays[model_name]}
        if not isinstance(given, np.ndarray):
            raise RuntimeValueError(
                f"run takes a NumPy array or dictionaries of them, got {type(given).__name__}"
            )
        name = self._chosen(model_name)
        ports = self._models[name].graph.flatten_inputs
        if len(ports) != 1:
            names = ", ".join(port.name for port in ports)
            raise RuntimeValueError(
                f"model {name!r} has {len(ports)} inputs ({names}), one array was given"
            )
        return {name: {ports[0].name: given}}

    def _chosen(self, model_name: str | None) -> str:
        if model_name is not None:
            self._model(model_name)
            return model_name
        if len(self._models) != 1:
            raise RuntimeValueError(
                f"several models are loaded ({', '.join(self._models)}): give model_name"
            )
        return next(iter(self._models))

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            raise RuntimeValueError(
                f"no model {name!r} is loaded; there is {', '.join(self._models)}"
            )
        return self._models[name]

    @staticmethod
    def _run(model: _Model, feed: Mapping[str, Any]) -> dict[str, Array]:
        with model.lock:
            return model.graph.feed(feed)


def _of_ports(ports: Ports[Argument], value: Callable[[Argument], T]) -> dict[str, T]:
    return {port.name: value(port) for port in ports}


def _shape(port: Argument) -> list[int]:
    return list(port.type.valid_shape)


def _strides(port: Argument, strides: Sequence[int]) -> list[int]:
    last = max(port.type.open_axes, default=-1)
    return [-1 if axis < last else stride for axis, stride in enumerate(strides)]
