"""Why a layer is scheduled as it is: what it moves, what bounds it, what would help."""

from __future__ import annotations

from dataclasses import dataclass

from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.plan.network import engine_of
from hbir.backend.tile_grid_cost import OUTPUT, GridCost
from hbir.backend.tiling import Tiling

USED = 0.75
"""Share of an engine's lanes below which padding is worth a word."""


@dataclass(frozen=True)
class Explanation:
    """Of one layer. moved_bytes: to and from DDR, whole bursts; compulsory_bytes: of its constants,
    inputs and outputs of the network, once; cycles of its engine, and of its transfers alone."""

    engine: str
    moved_bytes: int
    compulsory_bytes: int
    compute_cycles: float
    transfer_cycles: float
    helps: tuple[str, ...]

    @property
    def bound(self) -> str:
        """What bounds the layer by itself; with others beside it, it may be hidden."""
        if not self.compute_cycles and not self.transfer_cycles:
            return "nothing: it is in place"
        return "DDR" if self.transfer_cycles >= self.compute_cycles else self.engine


def explain(
    machine: Machine,
    layer: Layer,
    tiling: Tiling,
    resident: frozenset[int],
    compulsory_slots: frozenset[int],
    in_place: bool,
) -> Explanation:
    """The explanation of a layer.

    resident: operands and OUTPUT that are on chip. compulsory_slots: operands that are inputs of
    the network, and OUTPUT where that is one of its outputs. in_place: whether it has no
    instructions.
    """
    engine = engine_of(machine, layer)
    if in_place:
        return Explanation(engine, 0, 0, 0.0, 0.0, ())
    compulsory = sum(spec.byte_size for spec in layer.inputs if spec.constant)
    compulsory += sum(layer.inputs[slot].byte_size for slot in compulsory_slots if slot != OUTPUT)
    compulsory += layer.output.byte_size if OUTPUT in compulsory_slots else 0
    if layer.moves_only and layer.kind == "copy":
        moved = layer.output.byte_size
        return Explanation(
            "LOAD", moved, compulsory, 0.0, moved / machine.ddr_bytes_per_cycle,
            () if compulsory else ("it doesn't fit on chip: a smaller map, or fewer channels",),
        )  # fmt: skip
    grid = GridCost(machine, layer, [(size,) for size in tiling.largest_tile], resident)
    moved = int(grid.bound(tiling.order, tiling.buffers).ddr_bytes.max())
    compute = float(grid.compute.max()) if not layer.moves_only else 0.0
    transfer = moved / machine.ddr_bytes_per_cycle
    helps = _helps(machine, layer, moved, compulsory, compute, transfer)
    return Explanation(engine, moved, compulsory, compute, transfer, helps)


def _helps(
    machine: Machine, layer: Layer, moved: int, compulsory: int, compute: float, transfer: float
) -> tuple[str, ...]:
    helps: list[str] = []
    if layer.kind == "conv2d" and compute > transfer:
        helps += _lanes(machine, layer)
    if layer.kind == "lut":
        helps.append("fuse: a relu or a clip is part of the convolution before it, a table is not")
    if layer.kind in ("concat", "slice"):
        lanes = machine.memory.channel_align_bytes
        helps.append(f"channels at multiples of {lanes} bytes need no copy")
    if layer.kind == "transpose":
        helps.append("give and take tensors channel-last: then nothing is transposed")
    if moved > 1.5 * max(compulsory, 1) and layer.kind != "transpose":
        helps.append("split: a smaller map or fewer channels would stay on chip")
    if transfer > 2 * compute and moved <= 1.5 * max(compulsory, 1) and layer.kind == "conv2d":
        helps.append("its weights take longer than its work: more images at once share them")
    return tuple(helps)


def _lanes(machine: Machine, layer: Layer) -> list[str]:
    """Extents of a convolution that fill their unroll badly."""
    tae = machine.tae
    _, height, width, cout = layer.output.shape
    cin = layer.inputs[1].shape[3]
    groups = layer.groups
    if groups > 1:
        return [] if cin >= tae.unroll_cin else ["group: few channels a group leave lanes empty"]
    rows = (
        ("rows", height, tae.unroll_h),
        ("columns", width, tae.unroll_w),
        ("input channels", cin, tae.unroll_cin),
        ("output channels", cout, tae.unroll_cout),
    )
    return [
        f"pad: {extent} {name} take the time of {-(-extent // unroll) * unroll}"
        for name, extent, unroll in rows
        if extent / (-(-extent // unroll) * unroll) < USED
    ]
