"""Tensors that lie inside others: operands of a concat in its result, slices in their input.

Where the layout allows it a concat's operands are made in place, and a slice is read in place, so
neither needs an instruction. The layout allows it when the part starts, and for a concat ends, at
whole lanes of the channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.plan.network import Node

Coordinates = tuple[int, ...]


@dataclass(frozen=True)
class Home:
    """`origin` of a tensor in the coordinates of `root`."""

    root: int
    origin: Coordinates


def find_homes(
    machine: Machine,
    nodes: Sequence[Node],
    tensors: Sequence[TensorSpec],
    onchip: set[int],
    near: int,
) -> dict[int, Home]:
    """Tensor → where it lies, for those that lie in another.

    onchip: tensors that are on chip. near: a concat's operand that is made more than so many
    layers before it is copied instead: the whole result would be on chip all that time.
    """
    made = {node.output: number for number, node in enumerate(nodes)}
    parents: dict[int, Home] = {}
    for number, node in enumerate(nodes):
        output, operands = node.output, [o.tensor for o in node.operands]
        if output not in onchip or any(o.is_view for o in node.operands):
            continue
        if node.layer.kind == "slice" and operands[0] in onchip:
            begin = _slice_begin(machine, node.layer)
            if begin is not None:
                assert operands[0] is not None
                parents[output] = Home(operands[0], begin)
        elif node.layer.kind == "concat":
            early = {t for t in operands if t is not None and made.get(t, -near) < number - near}
            _concat(machine, node, tensors, onchip - early, parents)
    homes: dict[int, Home] = {}
    for tensor in parents:
        root, origin = tensor, (0,) * len(tensors[tensor].shape)
        while root in parents:
            parent = parents[root]
            origin = tuple(a + b for a, b in zip(origin, parent.origin, strict=True))
            root = parent.root
        homes[tensor] = Home(root, origin)
    return homes


def is_in_place(node: Node, homes: Mapping[int, Home]) -> bool:
    """Whether a concat or slice needs no instruction: its operands lie where its result does."""
    if node.layer.kind not in ("concat", "slice"):
        return False

    def root(tensor: int) -> int:
        return homes[tensor].root if tensor in homes else tensor

    mine = root(node.output)
    return all(o.tensor is not None and root(o.tensor) == mine for o in node.operands)


def _slice_begin(machine: Machine, layer: Layer) -> Coordinates | None:
    shape = layer.inputs[0].shape
    begin = tuple(int(b) % n for b, n in zip(layer.params["begin"], shape, strict=True))
    if any(int(s) != 1 for s in layer.params["step"]):
        return None
    aligned = begin[-1] * layer.inputs[0].itemsize % machine.memory.channel_align_bytes == 0
    return begin if aligned else None


def _concat(
    machine: Machine,
    node: Node,
    tensors: Sequence[TensorSpec],
    onchip: set[int],
    parents: dict[int, Home],
) -> None:
    layer = node.layer
    rank = len(layer.output.shape)
    axis = int(layer.params["dim"]) % rank
    lanes = machine.memory.channel_align_bytes
    before = 0
    sliced: dict[int, list[tuple[int, int]]] = {}
    for operand, spec in zip(node.operands, layer.inputs, strict=True):
        tensor = operand.tensor
        origin = tuple(before if a == axis else 0 for a in range(rank))
        width = spec.shape[axis]
        aligned = axis != rank - 1 or not (
            before * spec.itemsize % lanes or width * spec.itemsize % lanes
        )
        before += width
        if tensor is None or not aligned or tensor not in onchip:
            continue
        if tensor not in parents:
            if sum(o.tensor == tensor for o in node.operands) == 1:
                parents[tensor] = Home(node.output, origin)
            continue
        parent = parents[tensor]
        start = origin[axis] - parent.origin[axis]
        if parent.root in onchip and parent.root not in parents:
            sliced.setdefault(parent.root, []).append((start, width))
    # A tensor whose slices stand side by side in the concat, all of it, lies there as a whole.
    for root, parts in sliced.items():
        (start, *others) = {start for start, _ in parts}
        shape = list(tensors[root].shape)
        covered = [*layer.output.shape]
        covered[axis] = sum(width for _, width in parts)
        if not others and start >= 0 and shape == covered:
            origin = tuple(start if a == axis else 0 for a in range(rank))
            parents[root] = Home(node.output, origin)
