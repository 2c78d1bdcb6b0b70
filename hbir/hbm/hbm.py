"""`Hbm` and `Graph`: a compiled model, with the vendor API's names.

hbm = Hbm("model.hbm"); hbm.graphs[0].feed({"image": array}) -> {"logits": array}
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from hbir.backend.isa.program import BpuSegment, Program, Tensor
from hbir.backend.isa.program import Graph as ProgramGraph
from hbir.errors import HbirError
from hbir.files import SuffixError
from hbir.hbm.reader import read_program
from hbir.interface import Argument, ArgumentType, Ports, QuantInfo, bind_inputs

if TYPE_CHECKING:
    import os

    from hbir.backend.march import March
    from hbir.runtime.simulator import Simulator
    from hbir.runtime.values import ValueListener

Array = np.ndarray[Any, Any]

SUFFIX = ".hbm"


class Graph:
    """One graph of a compiled model; feeding it runs the simulator."""

    def __init__(self, program: Program, graph: ProgramGraph, *, check: bool = True) -> None:
        self._program = program
        self._graph = graph
        self._check = check
        self._simulator: Simulator | None = None
        self.flatten_inputs = _ports(graph.inputs)
        self.flatten_outputs = _ports(graph.outputs)
        self.inputs = self.flatten_inputs
        self.outputs = self.flatten_outputs

    @property
    def name(self) -> str:
        """The graph's name."""
        return self._graph.name

    @property
    def desc(self) -> str:
        """The graph's description."""
        return self._graph.description

    @property
    def num_cores(self) -> int:
        """How many cores it was compiled for."""
        return self._program.cores

    @property
    def program(self) -> ProgramGraph:
        """Its segments, function calls and instruction queues."""
        return self._graph

    @property
    def nodes(self) -> list[Node]:
        """Its segments in order."""
        return [
            Node(f"{self.name}_bpu_segment_{i}", "Bpu")
            if isinstance(segment, BpuSegment)
            else Node(f"{self.name}_cpu_segment_{i}", "Cpu", segment.signature, segment.reason)
            for i, segment in enumerate(self._graph.segments)
        ]

    def feed(
        self,
        inputs: Mapping[str, Any],
        listener: ValueListener | None = None,
        *,
        order: random.Random | None = None,
    ) -> dict[str, Array]:
        """Run on `inputs` (name → array) in the simulator; returns name → array, new arrays.

        The first call proves the program free of hazards (HazardError otherwise).
        listener: gets every named tensor on the way, once the run is over.
        order: draws one of the legal orders of execution; every one gives the same bits.
        Raises HbirError for wrong names, shapes or dtypes.
        """
        arrays = bind_inputs(f"graph {self.name!r}", self.flatten_inputs, inputs)
        if self._simulator is None:
            from hbir.runtime.simulator import Simulator

            self._simulator = Simulator(self._program, self._graph, check=self._check)
        outputs = self._simulator.run(arrays, order, listener)
        names = [tensor.name for tensor in self.flatten_outputs]
        return dict(zip(names, outputs, strict=True))

    def __call__(self, *arrays: Any) -> Array | tuple[Array, ...]:
        """Run on arrays in order; one output comes alone, several as a tuple."""
        if len(arrays) != len(self.flatten_inputs):
            raise HbirError(
                f"graph {self.name!r} takes {len(self.flatten_inputs)} inputs, got {len(arrays)}"
            )
        names = [tensor.name for tensor in self.flatten_inputs]
        outputs = tuple(self.feed(dict(zip(names, arrays, strict=True))).values())
        return outputs[0] if len(outputs) == 1 else outputs

    @override
    def __str__(self) -> str:
        inputs = ", ".join(map(str, self.flatten_inputs))
        outputs = ", ".join(map(str, self.flatten_outputs))
        return f"graph @{self.name}({inputs}) -> {outputs}"


@dataclass(frozen=True)
class Node:
    """A segment of a graph: on the BPU, or one op on the CPU."""

    name: str
    device: str
    """`Bpu` or `Cpu`."""
    signature: str = ""
    reason: str = ""
    """Why it is on the CPU."""


class Hbm:
    """A compiled model. Raises HbirError for a file that isn't a whole, valid .hbm.

    check: prove each graph free of hazards before its first run.
    """

    def __init__(self, path: str | os.PathLike[str], *, check: bool = True) -> None:
        if not str(path).endswith(SUFFIX):
            raise SuffixError(f"{path}: invalid file. should end with {SUFFIX}")
        self.path = str(path)
        self.program = read_program(path)
        self.graphs = [Graph(self.program, graph, check=check) for graph in self.program.graphs]

    @property
    def functions(self) -> list[Graph]:
        """The same as `graphs`."""
        return self.graphs

    @property
    def march(self) -> March:
        """The march it was compiled for."""
        from hbir.backend.march import March

        return March.get(self.program.march)

    @property
    def march_name(self) -> str:
        """The march's name, e.g. `nash-e`."""
        return self.program.march

    @property
    def toolkit_version(self) -> str:
        """The version of hbir that compiled it."""
        return str(self.program.information.get("version", ""))

    def __getitem__(self, key: int | str) -> Graph:
        if isinstance(key, int):
            return self.graphs[key]
        for graph in self.graphs:
            if graph.name == key:
                return graph
        names = ", ".join(graph.name for graph in self.graphs)
        raise HbirError(f"{self.path}: no graph {key!r}; it has {names}")

    def __iter__(self) -> Iterator[Graph]:
        return iter(self.graphs)

    def __len__(self) -> int:
        return len(self.graphs)


def _ports(tensors: Sequence[Tensor]) -> Ports[Argument]:
    return Ports(
        [
            Argument(
                tensor.name,
                ArgumentType(
                    tensor.shape,
                    tensor.dtype.numpy,
                    QuantInfo(tensor.scales, tensor.zero_points, tensor.channel_axis),
                    tensor.open_axes,
                ),
                tensor.description,
            )
            for tensor in tensors
        ]
    )
