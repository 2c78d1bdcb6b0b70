"""The bundled model's programs: every legal order gives the same bits, no wait can be left out,
and the text of each assembles back to its bytes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hbir.backend.isa.assembler import assemble
from hbir.backend.isa.disassembler import disassemble
from hbir.backend.isa.program import BpuSegment, FunctionCall, Graph, Program
from hbir.errors import HbirError
from hbir.hbm.writer import encode_program
from hbir.runtime.hazards import check_graph
from tests.e2e import mnist
from tests.e2e.levels import MARCHES, OPTIMIZATION_LEVELS, Network, assert_same_bits

CONFIGURATIONS = [(march, opt) for march in MARCHES for opt in OPTIMIZATION_LEVELS]
ORDERS = 4


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return mnist.calibrated_network(tmp_path_factory.mktemp("mnist_program"))


@pytest.mark.parametrize(("march", "opt"), CONFIGURATIONS)
def test_every_legal_order_gives_the_same_bits(network: Network, march: str, opt: int) -> None:
    (feed,) = mnist.feeds(mnist.digits("test")[0][:1])
    graph = network.program(march, opt).graphs[0]
    expected = graph.feed(feed)
    for seed in range(ORDERS):
        what = f"mnist on {march} at O{opt} in random order {seed}"
        assert_same_bits(expected, graph.feed(feed, order=random.Random(seed)), what)


@pytest.mark.parametrize(("march", "opt"), CONFIGURATIONS)
def test_text_assembles_to_the_same_bytes(network: Network, march: str, opt: int) -> None:
    hbm = network.program(march, opt)
    assert encode_program(assemble(disassemble(hbm.program))) == Path(hbm.path).read_bytes()


@pytest.mark.parametrize("opt", OPTIMIZATION_LEVELS)
def test_without_any_one_of_its_waits_a_program_is_refused(network: Network, opt: int) -> None:
    """Code generation writes no wait that is implied, so each one's absence must be found."""
    program = network.program("nash-e", opt).program
    check_graph(program, program.graphs[0])
    mutants = list(without_one_wait(program))
    assert len(mutants) > 10
    unnoticed = [what for what, mutant in mutants if not is_refused(mutant)]
    assert not unnoticed


def is_refused(program: Program) -> bool:
    try:
        check_graph(program, program.graphs[0])
    except HbirError:
        return True
    return False


def without_one_wait(program: Program) -> Iterator[tuple[str, Program]]:
    """The program without its first wait, without its second, and so on."""
    graph = program.graphs[0]
    for call in graph.calls():
        for (core, engine), queue in call.queues.items():
            for position, count in enumerate(queue["wait_count"].tolist()):
                first = int(queue["waits"][position])
                for index in range(count):
                    kept = np.delete(program.waits[first : first + count], index)
                    changed = queue.copy()
                    changed["waits"][position] = len(program.waits)
                    changed["wait_count"][position] = count - 1
                    queues = {**call.queues, (core, engine): changed}
                    what = f"wait {index} of instruction {position} of core {core} {engine.name}"
                    mutant = with_call(graph, call, FunctionCall(queues))
                    waits = np.concatenate([program.waits, kept])
                    yield what, replace(program, waits=waits, graphs=(mutant,))


def with_call(graph: Graph, old: FunctionCall, new: FunctionCall) -> Graph:
    segments = tuple(
        BpuSegment(tuple(new if call is old else call for call in segment.calls))
        if isinstance(segment, BpuSegment)
        else segment
        for segment in graph.segments
    )
    return replace(graph, segments=segments)
