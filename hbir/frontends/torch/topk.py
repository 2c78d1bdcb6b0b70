"""topk and sort."""

from __future__ import annotations

from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value


@imports("topk.default")
def topk(node: NodeImport) -> list[Value]:
    """topk → topk for the indices, gather_elements for the values.

    The result is sorted whether asked for or not.
    """
    return _best(node, node.int_("k"), node.bool_("largest"))


@imports("sort.default", "sort.stable")
def sort(node: NodeImport) -> list[Value]:
    """sort → topk of all elements, gather_elements."""
    shape = node.shape()
    return _best(node, shape[node.axis("dim", len(shape))], node.bool_("descending"))


def _best(node: NodeImport, count: int, largest: bool) -> list[Value]:
    x, axis = node.value("self"), node.axis("dim", len(node.shape()))
    places = node.emit("topk", x, k=count, dim=axis, largest=largest, origin=node.origin(1))
    return [node.result("gather_elements", x, places, dim=axis), places]
