"""Elements chosen by indices, constant or computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Operand
from hbir.ir.types import Array, shape_of


@imports("index_select.default")
def index_select(node: NodeImport) -> SSAValue:
    """index_select → index."""
    axis = node.axis("dim", len(node.shape()))
    return node.result("index", node.value("self"), node.value("index"), dim=axis)


@imports("embedding.default")
def embedding(node: NodeImport) -> SSAValue:
    """embedding → index of the table's rows."""
    return node.result("index", node.value("weight"), node.value("indices"), dim=0)


@imports("gather.default")
def gather(node: NodeImport) -> SSAValue:
    """gather → gather_elements."""
    axis = node.axis("dim", len(node.shape()))
    return node.result("gather_elements", node.value("self"), node.value("index"), dim=axis)


@imports("index.Tensor")
def index(node: NodeImport) -> SSAValue:
    """x[:, i] → index; x[:, i, j] of neighbouring axes with constant indices → reshape, index."""
    indices: Sequence[Operand | None] = node.argument("indices")
    axes = [axis for axis, operand in enumerate(indices) if operand is not None]
    chosen = [operand for operand in indices if operand is not None]
    if any(operand.dtype == np.bool_ for operand in chosen):
        raise NoBpuForm("how many elements a mask chooses is known only at run time")
    if axes != list(range(axes[0], axes[0] + len(axes))):
        raise NoBpuForm(f"the indexed axes must be neighbours, they are {axes}")
    if len(chosen) == 1:
        places = node.materialized(chosen[0])
        return node.result("index", node.value("self"), places, dim=axes[0])
    shape = node.shape()
    extents = [shape[axis] for axis in axes]
    flat = [*shape[: axes[0]], int(np.prod(extents)), *shape[axes[-1] + 1 :]]
    places = node.constant_value(_flattened(chosen, extents), f"{node.origin().tensor}#indices")
    return node.result("index", node.reshape(node.value("self"), flat), places, dim=axes[0])


def _flattened(indices: Sequence[Operand], extents: Sequence[int]) -> Array:
    """Indices of several axes as those of these axes flattened."""
    arrays = [operand.known for operand in indices]
    known = [array for array in arrays if array is not None]
    if len(known) != len(arrays):
        raise NoBpuForm("indices of several axes must be constant")
    wrapped = [np.where(a < 0, a + extent, a) for a, extent in zip(known, extents, strict=True)]
    return np.asarray(np.ravel_multi_index(np.broadcast_arrays(*wrapped), tuple(extents)), np.int64)


@imports("flip.default")
def flip(node: NodeImport) -> SSAValue:
    """flip → an index per axis, that counts from the end."""
    value, shape = node.value("self"), node.shape()
    for dim in node.ints("dims"):
        axis = dim % len(shape)
        places = np.arange(shape[axis])[::-1].astype(np.int64)
        indices = node.constant_value(places, f"{node.origin().tensor}#indices{axis}")
        value = node.emit("index", value, indices, dim=axis)
    return node.reshape(value, shape)


@imports("unfold.default")
def unfold(node: NodeImport) -> SSAValue:
    """unfold → an index by the positions of each window, whose elements become the last axis."""
    shape = node.shape()
    axis, size, step = node.axis("dimension", len(shape)), node.int_("size"), node.int_("step")
    starts = np.arange(0, shape[axis] - size + 1, step, dtype=np.int64)
    positions = starts[:, np.newaxis] + np.arange(size, dtype=np.int64)
    indices = node.constant_value(positions, f"{node.origin().tensor}#indices")
    windows = node.emit("index", node.value("self"), indices, dim=axis)
    rank = len(shape_of(windows))
    dims = [*range(axis + 1), *range(axis + 2, rank), axis + 1]
    return node.transpose(windows, dims, node.origin())
