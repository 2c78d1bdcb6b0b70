"""Waits are sufficient, minimal, and never for what comes later."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from hbir.backend.codegen.addresses import AddressMap
from hbir.backend.codegen.queues import Needs, Queues
from hbir.backend.isa.builder import FunctionCallBuilder
from hbir.backend.isa.descriptor import dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.program import QueueKey

ON_CHIP = dense(Space.L1, 0, DType.SI8, (4,))
IN_DDR = dense(Space.WORKSPACE, 0, DType.SI8, (4,))
ENGINES = {Engine.LOAD: "load", Engine.VAE: "copy", Engine.STORE: "store"}


class Recorder(FunctionCallBuilder):
    """Keeps the waits it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[dict[Engine, int]] = []

    @override
    def append(self, *args: Any, **kwargs: Any) -> int:
        waits: dict[QueueKey, int] = args[5] or {}
        self.waits.append({key[1]: count for key, count in waits.items()})
        return super().append(*args, **kwargs)


def issue(queues: Queues, engine: Engine, needs: Needs) -> int:
    return queues.issue(engine, ENGINES[engine], (ON_CHIP, IN_DDR), needs)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(ENGINES)),
            st.dictionaries(st.sampled_from(list(ENGINES)), st.integers(1, 30), max_size=3),
        ),
        max_size=40,
    )
)
def test_waits_imply_all_needs_and_none_is_idle(plan: list[tuple[Engine, Needs]]) -> None:
    call = Recorder()
    queues = Queues(call)
    issued: list[tuple[Engine, int]] = []
    needed: list[Needs] = []
    lengths = dict.fromkeys(ENGINES, 0)
    for engine, wanted in plan:
        needs = {e: min(n, lengths[Engine(e)]) for e, n in wanted.items() if lengths[Engine(e)]}
        lengths[engine] = issue(queues, engine, needs)
        issued.append((engine, lengths[engine]))
        needed.append(needs)
    past = closure(issued, call.waits)
    for number, needs in enumerate(needed):
        for engine, count in needs.items():
            assert past[number].get(engine, 0) >= count
    for number, waits in enumerate(call.waits):
        for engine in waits:
            fewer = [dict(w) for w in call.waits]
            del fewer[number][engine]
            assert closure(issued, fewer)[number].get(engine, 0) < needed[number][engine]


def closure(issued: list[tuple[Engine, int]], waits: list[dict[Engine, int]]) -> list[Needs]:
    """For each instruction: how many of each queue are certain to be done before it starts."""
    before: list[Needs] = []
    done: dict[tuple[Engine, int], Needs] = {}
    for (engine, count), tokens in zip(issued, waits, strict=True):
        known: Needs = {}
        for key in [(engine, count - 1), *tokens.items()]:
            for other, reached in done.get(key, {}).items():
                known[other] = max(known.get(other, 0), reached)
        before.append(known)
        done[engine, count] = {**known, engine: count}
    return before


def test_a_new_owner_waits_for_those_it_replaces() -> None:
    memory = AddressMap()
    first, second = memory.take(0, 100), memory.take(100, 200)
    first.write(Engine.LOAD, 1)
    first.read(Engine.TAE, 4)
    second.write(Engine.LOAD, 2)
    assert memory.take(200, 300).accessed == {}
    assert memory.take(90, 110).accessed == {Engine.LOAD: 2, Engine.TAE: 4}
    assert memory.take(0, 90).accessed == {Engine.LOAD: 1, Engine.TAE: 4}
    assert memory.take(110, 200).accessed == {Engine.LOAD: 2}
