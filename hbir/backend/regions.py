"""Which part of each operand a tile of the output needs: the one place that knows.

The schedule search, `tile_grid`, the scheduled interpreter and code generation all read it. Each
axis of each operand follows at most one axis of the iteration space (an `AxisMap`): the axes of
the output, and for convolutions one more, the input channels of a group (K).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hbir.backend.axis_maps import AxisMap, ChannelGroup, Resize, Same, Shifted, Window
from hbir.backend.layer import Layer
from hbir.errors import HbirError

Box = tuple[tuple[int, int], ...]
"""Half-open interval per axis."""

MAX_RANK = 6
"""Most axes of a tensor on the machine."""


@dataclass(frozen=True)
class LayerRegions:
    """The iteration space of a layer, and how each operand follows it."""

    layer: Layer
    extents: tuple[int, ...]
    """Output shape, and for convolutions the input channels of a group."""
    operands: tuple[tuple[AxisMap, ...], ...]
    whole_axes: frozenset[int]
    """Axes that a tile never cuts."""
    channel_granule: int = 0
    """Tiles of the output channels divide it, or are multiples of it (0: no rule)."""

    @property
    def reduction_axis(self) -> int | None:
        """The axis of the iteration space that isn't one of the output: K."""
        return 4 if self.layer.kind == "conv2d" else None

    def depends_on(self, operand: int) -> frozenset[int]:
        """Axes of the iteration space that an operand's box follows."""
        return frozenset(m.axis for m in self.operands[operand] if m.axis is not None)


@lru_cache(maxsize=4096)
def layer_regions(layer: Layer) -> LayerRegions:
    """The regions of a layer. Raises HbirError when the machine can't address it or know its kind.

    >>> layer_regions(conv).extents   # N, H, W, Cout, Cin per group
    """
    ranks = [len(spec.shape) for spec in (layer.output, *layer.inputs)]
    if max(ranks) > MAX_RANK:
        raise HbirError(
            f"{layer.name or layer.kind}: {max(ranks)} axes, but the machine addresses at most"
            f" {MAX_RANK}; reshape it to fewer"
        )
    build = _BUILDERS.get(layer.kind)
    if build is None:
        raise HbirError(f"{layer.name or layer.kind}: no tiling is known for {layer.kind}")
    return build(layer)


def _conv2d(layer: Layer) -> LayerRegions:
    x, weights, *rest = layer.inputs
    params = layer.params
    cout, kernel_h, kernel_w, cin_per_group = weights.shape
    groups = layer.groups
    top, left = params["pad"][0], params["pad"][1]
    dilation = params.get("dilation", (1, 1))
    gaps = params.get("input_dilation", (1, 1))
    stride = params.get("stride", (1, 1))
    window_h = Window(1, x.shape[1], stride[0], kernel_h, dilation[0], top, gaps[0])
    window_w = Window(2, x.shape[2], stride[1], kernel_w, dilation[1], left, gaps[1])
    channels: AxisMap = (
        Same(4, cin_per_group)
        if groups == 1
        else ChannelGroup(3, x.shape[3], cin_per_group, cout // groups)
    )
    operands: list[tuple[AxisMap, ...]] = [
        (Same(0, x.shape[0]), window_h, window_w, channels),
        (
            Same(3, cout),
            AxisMap(None, kernel_h),
            AxisMap(None, kernel_w),
            Same(4, cin_per_group),
        ),
    ]
    operands += [
        (Same(3, cout), AxisMap(None, spec.shape[1]))
        if len(spec.shape) == 2
        else _broadcast(spec.shape, layer.output.shape)
        for spec in rest
    ]
    return LayerRegions(
        layer,
        (*layer.output.shape, cin_per_group),
        tuple(operands),
        whole_axes=frozenset() if groups == 1 else frozenset({4}),
        channel_granule=0 if groups == 1 else cout // groups,
    )


def _pool(layer: Layer) -> LayerRegions:
    x = layer.inputs[0]
    kernel, stride, pad = (layer.params[k] for k in ("kernel", "stride", "pad"))
    dilation = layer.params.get("dilation", (1, 1))
    maps = (
        Same(0, x.shape[0]),
        Window(1, x.shape[1], stride[0], kernel[0], dilation[0], pad[0]),
        Window(2, x.shape[2], stride[1], kernel[1], dilation[1], pad[1]),
        Same(3, x.shape[3]),
    )
    return _plain(layer, (maps, *(_entire(spec.shape) for spec in layer.inputs[1:])))


def _resize(layer: Layer) -> LayerRegions:
    x = layer.inputs[0]
    step, offset = layer.params["step"], layer.params["initial_offset"]
    bits = layer.params["fraction_bits"]
    maps = (
        Same(0, x.shape[0]),
        Resize(1, x.shape[1], step[0], offset[0], bits),
        Resize(2, x.shape[2], step[1], offset[1], bits),
        Same(3, x.shape[3]),
    )
    return _plain(layer, (maps,))


def _elementwise(layer: Layer) -> LayerRegions:
    shape = layer.output.shape
    return _plain(layer, tuple(_broadcast(spec.shape, shape) for spec in layer.inputs))


def _table(layer: Layer) -> LayerRegions:
    first, *tables = layer.inputs
    maps = _broadcast(first.shape, layer.output.shape)
    return _plain(layer, (maps, *(_entire(spec.shape) for spec in tables)))


def _softmax(layer: Layer) -> LayerRegions:
    regions = _table(layer)
    axis = int(layer.params["dim"]) % len(layer.output.shape)
    return LayerRegions(layer, regions.extents, regions.operands, frozenset({axis}))


def _reduce(layer: Layer) -> LayerRegions:
    shape = layer.inputs[0].shape
    reduced = {int(d) % len(shape) for d in layer.params["dims"]}
    keep = bool(layer.params.get("keep_dim", False))
    maps: list[AxisMap] = []
    output_axis = 0
    for axis, size in enumerate(shape):
        maps.append(AxisMap(None, size) if axis in reduced else Same(output_axis, size))
        output_axis += 1 if keep or axis not in reduced else 0
    return _plain(layer, (tuple(maps),))


def _tile(layer: Layer) -> LayerRegions:
    shape, multiplies = layer.inputs[0].shape, layer.params["multiplies"]
    # One element serves every tile; of several, a tile that is cut would need the rest of them.
    maps = tuple(
        Same(axis, n) if count == 1 else AxisMap(None, n)
        for axis, (n, count) in enumerate(zip(shape, multiplies, strict=True))
    )
    whole = {axis for axis, n in enumerate(shape) if n > 1 and multiplies[axis] > 1}
    return LayerRegions(layer, layer.output.shape, (maps,), frozenset(whole))


def _layernorm(layer: Layer) -> LayerRegions:
    """Rows are whole: statistics are over the last axis."""
    regions = _table(layer)
    axis = len(layer.output.shape) - 1
    return LayerRegions(layer, regions.extents, regions.operands, frozenset({axis}))


def _matmul(layer: Layer) -> LayerRegions:
    """Rows of both sides are whole: (..., M, K) by (..., N, K) gives (..., M, N)."""
    shape = layer.output.shape
    rank = len(shape)
    operands: list[tuple[AxisMap, ...]] = []
    for axis, spec in zip((rank - 2, rank - 1), layer.inputs, strict=True):
        *batch, rows, columns = spec.shape
        followed = _broadcast(tuple(batch), shape[:-2])
        operands.append((*followed, Same(axis, rows), AxisMap(None, columns)))
    return _plain(layer, tuple(operands))


def _index(layer: Layer) -> LayerRegions:
    """The indexed axis is whole; index's axes stand in its place."""
    x, index = layer.inputs
    axis = int(layer.params["dim"]) % len(x.shape)
    more = len(index.shape) - 1
    maps = [Same(i if i < axis else i + more, n) for i, n in enumerate(x.shape)]
    followed: tuple[AxisMap, ...] = (*maps[:axis], AxisMap(None, x.shape[axis]), *maps[axis + 1 :])
    places = tuple(Same(axis + i, n) for i, n in enumerate(index.shape))
    return _plain(layer, (followed, places))


def _gather_elements(layer: Layer) -> LayerRegions:
    """The indexed axis is whole."""
    x, index = layer.inputs
    axis = int(layer.params["dim"]) % len(x.shape)
    maps: list[AxisMap] = [Same(i, n) for i, n in enumerate(x.shape)]
    maps[axis] = AxisMap(None, x.shape[axis])
    return _plain(layer, (tuple(maps), tuple(Same(i, n) for i, n in enumerate(index.shape))))


def _topk(layer: Layer) -> LayerRegions:
    """The axis that is ordered is whole, before and after."""
    shape = layer.inputs[0].shape
    axis = int(layer.params["dim"]) % len(shape)
    maps: list[AxisMap] = [Same(i, n) for i, n in enumerate(shape)]
    maps[axis] = AxisMap(None, shape[axis])
    return LayerRegions(layer, layer.output.shape, (tuple(maps),), frozenset({axis}))


def _grid_sample(layer: Layer) -> LayerRegions:
    """Where a tile reads is data, so the image is whole; its batch and channels follow."""
    x, grid = layer.inputs
    batch, channels = Same(0, x.shape[0]), Same(3, x.shape[3])
    image = (batch, AxisMap(None, x.shape[1]), AxisMap(None, x.shape[2]), channels)
    places = (*(Same(i, n) for i, n in enumerate(grid.shape[:3])), AxisMap(None, grid.shape[3]))
    return _plain(layer, (image, places))


def _roi_resize(layer: Layer) -> LayerRegions:
    """Where a tile reads is data; the roi is whole, and so are the channels."""
    return LayerRegions(
        layer,
        layer.output.shape,
        tuple(_entire(spec.shape) for spec in layer.inputs),
        whole_axes=frozenset({3}),
    )


def _transpose(layer: Layer) -> LayerRegions:
    shape, dims = layer.inputs[0].shape, layer.params["dims"]
    by_input = sorted((int(source), axis) for axis, source in enumerate(dims))
    return _plain(layer, (tuple(Same(axis, shape[source]) for source, axis in by_input),))


def _concat(layer: Layer) -> LayerRegions:
    axis = int(layer.params["dim"]) % len(layer.output.shape)
    operands: list[tuple[AxisMap, ...]] = []
    before = 0
    for spec in layer.inputs:
        maps: list[AxisMap] = [Same(i, n) for i, n in enumerate(spec.shape)]
        maps[axis] = Shifted(axis, spec.shape[axis], -before)
        operands.append(tuple(maps))
        before += spec.shape[axis]
    return _plain(layer, tuple(operands))


def _slice(layer: Layer) -> LayerRegions:
    shape = layer.inputs[0].shape
    begin, step = layer.params["begin"], layer.params["step"]
    if any(s < 1 for s in step):
        raise HbirError(f"{layer.name or 'slice'}: step {tuple(step)}; only positive steps exist")
    maps = tuple(
        Shifted(axis, n, b + n if b < 0 else b, s)
        for axis, (n, b, s) in enumerate(zip(shape, begin, step, strict=True))
    )
    return _plain(layer, (maps,))


def _pad(layer: Layer) -> LayerRegions:
    shape = layer.inputs[0].shape
    begin = layer.params["begin"]
    maps = tuple(Shifted(axis, n, -b) for axis, (n, b) in enumerate(zip(shape, begin, strict=True)))
    return _plain(layer, (maps,))


def _plain(layer: Layer, operands: tuple[tuple[AxisMap, ...], ...]) -> LayerRegions:
    return LayerRegions(layer, layer.output.shape, operands, frozenset())


def _entire(shape: tuple[int, ...]) -> tuple[AxisMap, ...]:
    return tuple(AxisMap(None, n) for n in shape)


def _broadcast(shape: tuple[int, ...], output: tuple[int, ...]) -> tuple[AxisMap, ...]:
    """Numpy's rule: axes align at the end, and an axis of one element serves all."""
    first = len(output) - len(shape)
    return tuple(
        AxisMap(None, 1) if n == 1 else Same(first + axis, n) for axis, n in enumerate(shape)
    )


_BUILDERS = {
    "conv2d": _conv2d,
    "max_pool": _pool,
    "avg_pool": _pool,
    "resize2d": _resize,
    "add": _elementwise,
    "mul": _elementwise,
    "max": _elementwise,
    "min": _elementwise,
    "rescale": _elementwise,
    "prelu": _elementwise,
    "quantize": _elementwise,
    "dequantize": _elementwise,
    "copy": _elementwise,
    "lut": _table,
    "softmax": _softmax,
    "layernorm": _layernorm,
    "matmul": _matmul,
    "reduce_mean": _reduce,
    "reduce_sum": _reduce,
    "reduce_max": _reduce,
    "reduce_min": _reduce,
    "reduce_argmax": _reduce,
    "reduce_argmin": _reduce,
    "index": _index,
    "gather_elements": _gather_elements,
    "topk": _topk,
    "grid_sample": _grid_sample,
    "roi_resize": _roi_resize,
    "float_add": _elementwise,
    "float_sub": _elementwise,
    "float_mul": _elementwise,
    "float_compare": _elementwise,
    "float_prelu": _elementwise,
    "float_softmax": _softmax,
    "float_layernorm": _layernorm,
    "float_reduce_sum": _reduce,
    "float_reduce_mean": _reduce,
    "float_avg_pool": _pool,
    "compare": _elementwise,
    "where": _elementwise,
    "tile": _tile,
    "transpose": _transpose,
    "concat": _concat,
    "slice": _slice,
    "pad": _pad,
}
