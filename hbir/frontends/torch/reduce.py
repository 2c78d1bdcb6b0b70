"""Reductions over whole axes."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_REDUCTIONS = {"mean": "reduce_mean"}


@imports("mean.default", "mean.dim")
def reduction(node: NodeImport) -> SSAValue:
    """mean → reduce_mean. No axes named are all axes."""
    rank = len(node.shape())
    dims = node.ints("dim") if "dim" in node.names and node.has("dim") else []
    dims = sorted({axis % rank for axis in dims} or range(rank))
    keep = "keepdim" in node.names and node.bool_("keepdim")
    return node.result(_REDUCTIONS[node.kind], node.value("self"), dims=dims, keep_dim=keep)
