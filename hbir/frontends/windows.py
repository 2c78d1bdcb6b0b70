"""Windows over H and W, as both frontends read them. 1-D ones become 2-D ones over a single row."""

from __future__ import annotations

from collections.abc import Sequence


def pair(values: Sequence[int], row: int) -> tuple[int, int]:
    """One or two entries as (H, W); a single one is W's, H gets `row`."""
    return (row, values[0]) if len(values) == 1 else (values[0], values[1])


def split_padding(total: int, *, upper: bool) -> tuple[int, int]:
    """A total padding as before and after; the odd element goes after if `upper`."""
    small, large = total // 2, total - total // 2
    return (small, large) if upper else (large, small)
