"""Legal orders and vector clocks, against reachability."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.order import queue_graph, vector_clocks
from hbir.backend.isa.program import BpuSegment
from tests.unit.runtime.programs import random_program


@given(seed=st.integers(0, 1 << 30), choice=st.integers(0, 1 << 30))
@pytest.mark.parametrize("picked", [False, True])
def test_an_order_keeps_queues_and_waits(seed: int, choice: int, picked: bool) -> None:
    program, line = random_program(seed)
    segment = program.graphs[0].segments[0]
    assert isinstance(segment, BpuSegment)
    graph = queue_graph(program, segment.calls[0])
    order = graph.legal_order(random.Random(choice).choice if picked else None)
    assert sorted(order) == [(q, p) for q, n in enumerate(graph.lengths) for p in range(n)]
    place = {instruction: index for index, instruction in enumerate(order)}
    numbers = {key: number for number, key in enumerate(graph.keys)}
    for access in line:
        mine = place[numbers[access.queue], access.position]
        if access.position:
            assert place[numbers[access.queue], access.position - 1] < mine
        for queue, count in access.waits.items():
            assert place[numbers[queue], count - 1] < mine


@given(seed=st.integers(0, 1 << 30))
def test_clocks_say_what_reachability_says(seed: int) -> None:
    program, line = random_program(seed)
    segment = program.graphs[0].segments[0]
    assert isinstance(segment, BpuSegment)
    graph = queue_graph(program, segment.calls[0])
    clocks = vector_clocks(graph, graph.legal_order())
    numbers = {key: number for number, key in enumerate(graph.keys)}
    before: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for access in line:
        me = (numbers[access.queue], access.position)
        direct = {(me[0], p) for p in range(me[1])}
        for queue, count in access.waits.items():
            direct |= {(numbers[queue], p) for p in range(count)}
        before[me] = direct.union(*(before[other] for other in direct)) if direct else set()
        known = clocks[me[0]][me[1]].tolist()
        assert {(q, p) for q, n in enumerate(known) for p in range(n)} == before[me]
