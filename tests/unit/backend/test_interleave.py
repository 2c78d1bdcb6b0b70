"""Row tiles in the order in which readers need them."""

from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.interleave import Member, Read, interleave


def windows(rows: int, tile: int, reach: int, producer: int) -> tuple[Member, tuple[int, ...]]:
    """A reader of `rows` rows whose window reaches `reach` rows beyond each tile."""
    stops = (*range(tile, rows, tile), rows)
    starts = (0, *stops[:-1])
    lows = tuple(max(0, start - reach) for start in starts)
    highs = tuple(min(rows, stop + reach) for stop in stops)
    return Member(stops, (Read(producer, lows, highs),)), stops


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=5),
)
def test_rows_are_made_once_and_before_they_are_read(
    rows: int, layers: list[tuple[int, int]]
) -> None:
    first = Member((*range(4, rows, 4), rows), ())
    members = [first]
    for number, (tile, reach) in enumerate(layers):
        members.append(windows(rows, tile, reach, number)[0])
    done = [0] * len(members)
    for number, tile in interleave(members):
        assert tile == done[number]
        for read in members[number].reads:
            made = members[read.producer].stops[: done[read.producer]]
            assert made
            assert made[-1] >= read.highs[tile]
        done[number] += 1
    assert done == [len(member.stops) for member in members]


def test_a_producer_runs_no_further_ahead_than_its_reader_needs() -> None:
    first = Member((2, 4, 6, 8), ())
    reader, _ = windows(8, 2, 1, 0)
    assert interleave([first, reader]) == [
        (0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (0, 3), (1, 2), (1, 3),
    ]  # fmt: skip


def test_branches_that_nobody_reads_keep_pace() -> None:
    first = Member((4, 8), ())
    fine, coarse = (windows(8, tile, 0, 0)[0] for tile in (2, 4))
    order = interleave([first, fine, coarse])
    assert order.index((2, 0)) < order.index((1, 3))
