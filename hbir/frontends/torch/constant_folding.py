"""Nodes whose results are known while importing: what is computed of parameters alone.

Position indices, masks and coordinate grids that forward builds are arrays in the deployed network;
torch itself computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import fx
from torch.fx import node as fx_node

from hbir.errors import HbirError
from hbir.frontends.torch.names import short_name
from hbir.frontends.torch.values import Operand, array_of
from hbir.ir.types import Array

RANDOM = torch.Tag.nondeterministic_seeded
"""Tag of operators whose results differ from run to run, so they have no value to fold."""


PRODUCTS = frozenset(
    {
        "addmm",
        "baddbmm",
        "bmm",
        "conv1d",
        "conv2d",
        "conv_transpose1d",
        "conv_transpose2d",
        "linear",
        "matmul",
        "mm",
    }
)
"""Sums of products, which torch and NumPy round differently. hbir's own pass folds these, so that
networks from ONNX and from PyTorch have the same constants."""

# Their own types are incomplete.
map_arg = cast(Any, fx_node).map_arg
from_numpy = cast(Any, torch).from_numpy


def fold(node: fx.Node, operand_of: Callable[[fx.Node], Operand]) -> list[Array] | None:
    """The results of a node if all tensors that it reads are known and it isn't random."""
    target: Any = node.target
    if RANDOM in target.tags or short_name(node) in PRODUCTS:
        return None
    operands = [operand_of(source) for source in node.all_input_nodes]
    if any(operand.known is None for operand in operands):
        return None

    def value_of(source: fx.Node) -> torch.Tensor:
        # The copy keeps torch from warning that the array is read-only.
        array = operand_of(source).known
        if array is None:
            raise TypeError("a computed value can't be folded")
        return from_numpy(array.copy() if not array.flags.writeable else array)

    args, kwargs = map_arg((node.args, node.kwargs), value_of)
    try:
        with torch.no_grad():
            results = target(*args, **{**kwargs, **_on_cpu(kwargs)})
    except Exception as error:  # whatever the operator raises on these values
        raise HbirError(f"{node.name} ({target}) can't be evaluated: {error}") from error
    tensors = cast(
        "Sequence[torch.Tensor]", [results] if isinstance(results, torch.Tensor) else results
    )
    return [array_of(each, node.name) for each in tensors]


def _on_cpu(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {"device": "cpu"} if kwargs.get("device") is not None else {}
