"""Plans: what must move moves once, memory holds, and the work grows with the layers alone."""

import pytest

from hbir.backend.layer import TensorSpec
from hbir.backend.march import load_march
from hbir.backend.plan import residence
from hbir.backend.plan.bound import compulsory_bytes, lower_bound
from hbir.backend.plan.network import Network, Node, Operand
from hbir.backend.plan.planner import plan
from tests.unit.layers import conv_layer, with_l1

MACHINE = with_l1(load_march("nash-e"), 1 << 20)


def chain(length: int, size: int = 40, channels: int = 32) -> Network:
    """Convolutions one after the other; tensor 0 is the input, the last one the output."""
    layer = conv_layer((1, size, size, channels), channels, 3)
    nodes = [
        Node(layer, (Operand(n), *(Operand(None),) * (len(layer.inputs) - 1)), n + 1, n)
        for n in range(length)
    ]
    spec = TensorSpec(layer.output.shape, layer.output.dtype)
    return Network(tuple(nodes), (spec,) * (length + 1), frozenset({length}))


@pytest.mark.parametrize("size", [10, 40, 100, 170])
def test_tensors_between_layers_do_not_move(size: int) -> None:
    """Maps of up to 0.9 MB in 1 MB: whole or by stripes, only the ends are copied."""
    network = chain(5, size)
    planned = plan(MACHINE, network)
    assert planned is not None
    copies = [layer for layer in planned.layers if layer.node.source is None]
    assert len(copies) <= 2  # a large input is read by the first layer, tile by tile
    spans = [
        (offset, offset + area.bytes_per_buffer)
        for layer in planned.layers
        for area, offsets in zip(layer.areas, layer.offsets, strict=True)
        for offset in offsets
    ]
    spans += [(p.offset, p.offset + p.size_bytes) for p in planned.places.values()]
    assert max(stop for _, stop in spans) <= MACHINE.memory.l1_bytes


def test_planning_four_times_the_layers_asks_four_times_as_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    expand = residence.Residence.expand

    def counted(self: residence.Residence, number: int) -> list[Node]:
        nonlocal asked
        asked += 1
        return expand(self, number)

    monkeypatch.setattr(residence.Residence, "expand", counted)
    counts: list[int] = []
    for length in (50, 200):
        asked = 0
        assert plan(MACHINE, chain(length, 170)) is not None
        counts.append(asked)
    assert counts[1] <= 4.4 * counts[0]


def test_the_bound_counts_what_must_move_once_and_every_layer() -> None:
    network = chain(3, 40)
    layer = network.nodes[0].layer
    constants = sum(spec.byte_size for spec in layer.inputs if spec.constant)
    assert compulsory_bytes(MACHINE, network) == 3 * constants + 2 * layer.output.byte_size
    bound = lower_bound(MACHINE, [network])
    assert bound.set_cycles["TAE+VAE"] == bound.engine_cycles["TAE"]
    assert bound.cycles == max(bound.ddr_cycles, *bound.set_cycles.values())
    assert bound.limit in ("DDR", *bound.set_cycles)
