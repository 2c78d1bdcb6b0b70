"""The live-range allocator against a pairwise check."""

from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.memory import Allocation, LiveRange, allocate, overlaps, peak_bytes

RANGES = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 30), st.integers(0, 12)).map(
        lambda t: LiveRange(t[0], t[1], t[1] + t[2])
    ),
    max_size=40,
)


def collide(a: LiveRange, b: LiveRange, at: int, bt: int) -> bool:
    in_time = a.first <= b.last and b.first <= a.last
    in_space = at < bt + b.size_bytes and bt < at + a.size_bytes
    return in_time and in_space and a.size_bytes > 0 and b.size_bytes > 0


@given(RANGES)
def test_what_is_alive_together_never_overlaps(ranges: list[LiveRange]) -> None:
    result = allocate(ranges, 64)
    assert all(offset % 64 == 0 for offset in result.offsets)
    for i, (a, at) in enumerate(zip(ranges, result.offsets, strict=True)):
        assert at + a.size_bytes <= result.total_bytes
        for b, bt in list(zip(ranges, result.offsets, strict=True))[:i]:
            assert not collide(a, b, at, bt)
    assert result.total_bytes >= peak_bytes(ranges, 64)
    assert not overlaps(ranges, result)


@given(RANGES, st.lists(st.integers(0, 20000), min_size=40, max_size=40))
def test_overlaps_are_found_wherever_there_are_any(
    ranges: list[LiveRange], places: list[int]
) -> None:
    offsets = tuple(places[: len(ranges)])
    exist = any(
        collide(a, b, offsets[i], offsets[j])
        for i, a in enumerate(ranges)
        for j, b in enumerate(ranges[:i])
    )
    assert bool(overlaps(ranges, Allocation(offsets, 0))) == exist


def test_a_chain_needs_two_tensors() -> None:
    chain = [LiveRange(1000, step, step + 1) for step in range(50)]
    assert allocate(chain, 64).total_bytes == 2048


def test_no_hole_is_left_between_tensors_of_different_lives() -> None:
    ranges = [
        LiveRange(640, 0, 1),
        LiveRange(300, 0, 9),
        LiveRange(128, 0, 1),
        LiveRange(64, 0, 9),
        LiveRange(128, 2, 9),
        LiveRange(512, 2, 3),
    ]
    assert allocate(ranges, 64).total_bytes == peak_bytes(ranges, 64)
