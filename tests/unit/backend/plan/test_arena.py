"""Addresses in the order of time: what is busy is never given out, the oldest bytes come first."""

from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.plan.arena import Arena


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 4)), max_size=40))
def test_nothing_busy_is_given_out(requests: list[tuple[int, int]]) -> None:
    arena = Arena(1000)
    busy: list[tuple[int, int, int]] = []
    for now, (size, life) in enumerate(requests):
        busy = [entry for entry in busy if entry[2] > now]
        free = 1000 - sum(stop - start for start, stop, _ in busy)
        assert arena.free_bytes(now) == free
        hole = arena.largest_hole(now)
        start = arena.take_oldest(size, now, now + life)
        assert (start is not None) == (hole >= size)
        if start is None:
            continue
        assert 0 <= start <= 1000 - size
        assert all(start >= high or start + size <= low for low, high, _ in busy)
        busy.append((start, start + size, now + life))


def test_what_has_been_free_the_longest_is_taken() -> None:
    arena = Arena(300)
    first, second, third = (arena.take_oldest(100, 0, until) for until in (3.0, 1.0, 2.0))
    assert (first, second, third) == (0, 100, 200)
    assert arena.take_oldest(100, 3, 9) == second
    assert arena.take_oldest(100, 3, 9) == third
    assert arena.take_oldest(100, 3, 9) == first
    assert arena.take_oldest(1, 3, 9) is None


def test_a_copy_is_apart() -> None:
    arena = Arena(100)
    saved = arena.copy()
    arena.take(0, 60, 5.0)
    assert (arena.free_bytes(0), saved.free_bytes(0)) == (40, 100)
