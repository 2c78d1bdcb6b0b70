"""Disjoint sets (union-find) over any hashable items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT", bound=Hashable)


class DisjointSets(Generic[ItemT]):
    """Items start in a set of their own; `join` merges two sets. Amortised near-constant time."""

    def __init__(self) -> None:
        self._parent: dict[ItemT, ItemT] = {}
        self._members: dict[ItemT, list[ItemT]] = {}

    def find(self, item: ItemT) -> ItemT:
        """The item that stands for the set of `item`."""
        root = item
        while (parent := self._parent.get(root, root)) is not root:
            root = parent
        while item is not root:
            parent = self._parent[item]
            self._parent[item] = root
            item = parent
        return root

    def join(self, first: ItemT, second: ItemT) -> None:
        """Merge the sets of two items; the larger one's representative stays."""
        a, b = self.find(first), self.find(second)
        if a is b:
            return
        mine, other = list(self.members(a)), list(self.members(b))
        if len(mine) < len(other):
            a, b, mine, other = b, a, other, mine
        self._parent[b] = a
        self._members[a] = self._members.get(a, mine)
        self._members[a].extend(other)
        self._members.pop(b, None)

    def members(self, item: ItemT) -> Sequence[ItemT]:
        """The items of the set of `item`."""
        root = self.find(item)
        return self._members.get(root, [root])
