"""The lower bound of a schedule: what no order, tiling or placement of the same layers can beat.

Two things must happen in any case: every byte that DDR alone holds (inputs, constants) is loaded
once and every output stored once; and every layer is computed, by one engine of each exclusive set
at a time. The bound is the largest of these, as if all else ran beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hbir.backend.cost import burst_bytes
from hbir.backend.march import Machine
from hbir.backend.plan.network import Network, whole_cycles


@dataclass(frozen=True)
class LowerBound:
    """Cycles that one core can't do without. engine_cycles: of each engine's layers, every layer
    one instruction."""

    compulsory_bytes: int
    ddr_cycles: float
    engine_cycles: dict[str, float]
    set_cycles: dict[str, float]
    """By exclusive set, `TAE+VAE`, and by engine that is in none."""

    @property
    def cycles(self) -> float:
        """The bound."""
        return max(self.ddr_cycles, *self.set_cycles.values())

    @property
    def limit(self) -> str:
        """What bounds: `DDR` or an exclusive set."""
        name, cycles = max(self.set_cycles.items(), key=lambda item: item[1])
        return "DDR" if self.ddr_cycles >= cycles else name


def lower_bound(machine: Machine, networks: Sequence[Network]) -> LowerBound:
    """The bound of the layers of a graph's BPU segments, which run one after the other."""
    moved = sum(compulsory_bytes(machine, network) for network in networks)
    work = dict.fromkeys(machine.engines, 0.0)
    for network in networks:
        for node in network.nodes:
            if not node.layer.moves_only:
                engine = machine.engine_of(node.layer.opcode)
                work[engine] += whole_cycles(machine, node.layer)
    sets = {"+".join(sorted(e)): sum(work[name] for name in e) for e in machine.exclusive}
    excluded = {"LOAD", "STORE"}.union(*machine.exclusive)
    sets |= {name: cycles for name, cycles in work.items() if name not in excluded}
    return LowerBound(moved, moved / machine.ddr_bytes_per_cycle, work, sets)


def compulsory_bytes(machine: Machine, network: Network) -> int:
    """Bytes, in whole bursts, that go between DDR and the chip whatever the schedule is: tensors
    that nobody here makes, once; constants, once; tensors that must be in DDR, once."""
    sizes: list[int] = []
    for tensor, readers in enumerate(network.readers):
        if readers and tensor not in network.producer:
            sizes.append(network.tensors[tensor].byte_size)
    sizes += [network.tensors[tensor].byte_size for tensor in network.kept]
    for node in network.nodes:
        sizes += [spec.byte_size for spec in node.layer.inputs if spec.constant]
    return _bursts(machine, sizes)


def _bursts(machine: Machine, sizes: Iterable[int]) -> int:
    return sum(int(burst_bytes(machine, 1, size)) for size in sizes)
