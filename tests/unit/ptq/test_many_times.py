"""Iterators that can be gone through again, and what is said when there is no room for that."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hbir.errors import HbirError
from hbir.ptq.many_times import many_times


def test_what_an_iterator_gives_comes_again_in_order() -> None:
    with many_times(iter(range(5))) as data:
        begun = iter(data)
        assert [next(begun), next(begun)] == [0, 1]
        assert list(data) == list(range(5)), "those given already, then the rest"
        assert list(begun) == [2, 3, 4]
        assert list(data) == list(range(5))


def test_a_list_is_left_as_it_is() -> None:
    data = [1, 2]
    with many_times(data) as same:
        assert same is data


def test_only_what_is_asked_for_is_taken() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1 << 40):
            taken.append(number)
            yield number

    with many_times(numbers()) as data:
        assert next(iter(data)) == 0
    assert taken == [0]


def test_a_full_disk_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with (
        many_times(iter([1])) as data,
        pytest.raises(
            HbirError, match=r"can't be written \(No space left on device\); give a list"
        ),
    ):
        list(data)
