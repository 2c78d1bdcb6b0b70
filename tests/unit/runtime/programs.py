"""Small programs built by hand, and random ones with an order that is known to be right."""

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from hbir.backend.isa.builder import FunctionCallBuilder, GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Flag, Space
from hbir.backend.isa.program import Program, QueueKey, SharedBox, Tensor, Value

Array = np.ndarray[Any, Any]

LANES_BYTES = 32


def convolution_arrays(seed: int = 0) -> tuple[Array, Array]:
    """Weights (16, 3, 3, 8) and their qpp."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-127, 128, (16, 3, 3, 8)).astype(np.int8)
    bias = rng.integers(-1000, 1000, 16)
    qpp = np.stack([bias, np.full(16, 20000), np.full(16, 24)], 1).astype(np.int32)
    return weights, qpp


def tiled_convolution(
    waits: bool = True, output_shift_bytes: int = 0, overlap_bytes: int = 0
) -> Program:
    """A 3x3 convolution of (1, 8, 8, 8) in two tiles of rows, double-buffered.

    waits=False leaves out the wait of the second store. output_shift_bytes moves the first tile's
    output in DDR; overlap_bytes moves the second tile's input onto the first's.
    """
    weights, qpp = convolution_arrays()
    builder = ProgramBuilder("nash-e", l1_bytes=1 << 16)
    graph = builder.graph("main")
    graph.input(Tensor.dense("x", DType.SI8, (1, 8, 8, 8)))
    graph.output(Tensor.dense("y", DType.SI8, (1, 8, 8, 16)))
    layer = graph.layer("conv", "conv2d", origin_ops=["Conv_0"])
    value = graph.value(Value("conv", DType.SI8, (1, 8, 8, 16), (0, 2, 3, 1), 0.5, 3))
    flat = Value("flat", DType.SI8, (1, 1024), view_of=value)
    graph.value(flat)
    tail = graph.value(Value("tail", DType.SI8, (1, 6, 8, 16)))
    graph.share(tail, SharedBox(value, (0, 0, 0, 0), (0, 2, 0, 0), (1, 2, 8, 16)))
    graph.share(tail, SharedBox(value, (0, 2, 0, 0), (0, 4, 0, 0), (1, 4, 8, 16)))
    graph.value(Value("deep", DType.SI8, (1, 2, 4, 2, 4, 4, 4), view_of=value))
    call = graph.function_call()
    w = dense(Space.L1, 0, DType.SI8, weights.shape)
    q = dense(Space.L1, 2048, DType.SI32, qpp.shape)
    for descriptor, array in ((w, weights), (q, qpp)):
        source = dense(Space.CONSTANT, builder.constant(array), descriptor.dtype, array.shape)
        call.append(0, Engine.LOAD, "load", (descriptor, source), layer=layer)
    for tile in range(2):
        first, last = max(0, tile * 4 - 1), min(8, tile * 4 + 5)
        shape = (1, last - first, 8, 8)
        source = TensorDescriptor(Space.INPUT, first * 64, DType.SI8, shape, (512, 64, 8, 1))
        base = 4096 + tile * (4096 - overlap_bytes)
        x = channel_padded(Space.L1, base, DType.SI8, shape, LANES_BYTES)
        loaded = call.append(0, Engine.LOAD, "load", (x, source), layer=layer)
        y = channel_padded(Space.L1, 16384 + tile * 4096, DType.SI8, (1, 4, 8, 16), LANES_BYTES)
        pad = (1 if tile == 0 else 0, 1, 1 if tile == 1 else 0, 1)
        tae = {(0, Engine.LOAD): loaded}
        done = call.append(
            0, Engine.TAE, "conv2d", (y, None, x, w, q), {"pad": pad}, tae, layer=layer
        )
        target = tile * 512 + (output_shift_bytes if tile == 0 else 0)
        out = TensorDescriptor(Space.OUTPUT, target, DType.SI8, (1, 4, 8, 16), (1024, 128, 16, 1))
        needed = {(0, Engine.TAE): done} if waits or tile == 0 else {}
        call.append(0, Engine.STORE, "store", (out, y), waits=needed, layer=layer)
        call.part(0, Engine.STORE, value, (0, tile * 4, 0, 0))
    return builder.finish()


def split_convolution() -> Program:
    """The same convolution untiled, its reduction split in two over an accumulator."""
    weights, qpp = convolution_arrays()
    builder = ProgramBuilder("nash-e", l1_bytes=1 << 16)
    graph = builder.graph("main")
    graph.input(Tensor.dense("x", DType.SI8, (1, 8, 8, 8)))
    graph.output(Tensor.dense("y", DType.SI8, (1, 8, 8, 16)))
    graph.layer("conv", "conv2d")
    call = graph.function_call()
    accumulator = dense(Space.L1, 0x8000, DType.SI32, (1, 8, 8, 16))
    y = dense(Space.L1, 0x6000, DType.SI8, (1, 8, 8, 16))
    q = dense(Space.L1, 0x5000, DType.SI32, qpp.shape)
    at = builder.constant(qpp)
    call.append(0, Engine.LOAD, "load", (q, dense(Space.CONSTANT, at, DType.SI32, qpp.shape)))
    done = 0
    for half in range(2):
        part = weights[..., half * 4 : half * 4 + 4]
        x = dense(Space.L1, 0x1000 * half, DType.SI8, (1, 8, 8, 4))
        source = TensorDescriptor(Space.INPUT, half * 4, DType.SI8, (1, 8, 8, 4), (512, 64, 8, 1))
        call.append(0, Engine.LOAD, "load", (x, source))
        w = dense(Space.L1, 0x2000 + 0x1000 * half, DType.SI8, part.shape)
        packed = dense(Space.CONSTANT, builder.constant(part), DType.SI8, part.shape)
        loaded = call.append(0, Engine.LOAD, "load", (w, packed))
        flags = Flag.ACCUMULATE_LAST if half else Flag.ACCUMULATE_FIRST
        done = call.append(
            0,
            Engine.TAE,
            "conv2d",
            (y if half else None, accumulator, x, w, q),
            {"pad": (1, 1, 1, 1)},
            {(0, Engine.LOAD): loaded},
            flags=flags,
        )
    out = dense(Space.OUTPUT, 0, DType.SI8, (1, 8, 8, 16))
    call.append(0, Engine.STORE, "store", (out, y), waits={(0, Engine.TAE): done})
    return builder.finish()


@dataclass
class Access:
    """An instruction of a random program, for an oracle that knows nothing of queues."""

    queue: QueueKey
    position: int
    reads: list[TensorDescriptor]
    write: TensorDescriptor
    waits: dict[QueueKey, int] = field(default_factory=dict[QueueKey, int])

    def conflicts(self, other: "Access") -> bool:
        """Whether one writes bytes that the other touches."""
        mine, theirs = bytes_of(self.write), bytes_of(other.write)
        return (
            bool(mine & theirs)
            or any(mine & bytes_of(read) for read in other.reads)
            or any(theirs & bytes_of(read) for read in self.reads)
        )


@lru_cache(maxsize=4096)
def bytes_of(descriptor: TensorDescriptor) -> frozenset[tuple[Space, int]]:
    """The bytes of an operand, padding included, one by one."""
    offsets = np.zeros(descriptor.shape, np.int64)
    for axis, stride in enumerate(descriptor.strides):
        shape = [-1 if a == axis else 1 for a in range(len(descriptor.shape))]
        offsets = offsets + (np.arange(descriptor.shape[axis]) * stride).reshape(shape)
    wide = descriptor.dtype.itemsize
    touched = {int(o) + i for o in offsets.ravel() for i in range(wide)}
    for row in offsets.reshape(-1, descriptor.shape[-1]):
        touched |= {int(row[-1]) + wide + i for i in range(descriptor.padding_bytes)}
    return frozenset((descriptor.space, descriptor.base + o) for o in touched)


SLOTS = 6
SLOT_BYTES = 96
"""Less than a padded operand needs from its start: neighbouring slots overlap."""
SHAPE = (1, 2, 2, 8)


def random_program(
    seed: int, length: int = 14, drop_wait: int | None = None
) -> tuple[Program, list[Access]]:
    """Instructions in a random straight line, each waiting for all earlier ones it conflicts with.

    drop_wait: leave out that one of all waits, counted from 0.
    """
    rng = random.Random(seed)
    builder = ProgramBuilder("nash-e", cores=1, l1_bytes=SLOTS * SLOT_BYTES + 256)
    graph = builder.graph("main")
    graph.input(Tensor.dense("x", DType.SI8, SHAPE))
    graph.output(Tensor.dense("y", DType.SI8, SHAPE))
    call = graph.function_call()
    line: list[Access] = []
    state = _State(call, line, drop_wait)

    def slot() -> TensorDescriptor:
        base = rng.randrange(SLOTS) * SLOT_BYTES
        padded = rng.random() < 0.5
        if padded:
            return channel_padded(Space.L1, base, DType.SI8, SHAPE, 16)
        return dense(Space.L1, base, DType.SI8, SHAPE)

    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    live: list[TensorDescriptor] = []

    def overwrite(target: TensorDescriptor) -> None:
        touched = bytes_of(target)
        live[:] = [d for d in live if not touched & _data_bytes(d)]
        live.append(target)

    first = slot()
    state.append(Engine.LOAD, "load", [first, source], {})
    overwrite(first)
    for _ in range(length):
        kind = rng.choice(("load", "copy", "add", "rescale", "max"))
        target = slot()
        x, y = rng.choice(live), rng.choice(live)
        engine = rng.choice((Engine.VAE, Engine.AAE, Engine.TRANS, Engine.VPU))
        match kind:
            case "load":
                state.append(Engine.LOAD, "load", [target, source], {})
            case "copy":
                state.append(engine, "copy", [target, x], {})
            case "add":
                params = {"multipliers": (17000, 21000), "shift": 15}
                state.append(engine, "add", [target, x, y], params)
            case "max":
                state.append(engine, "max", [target, x, y], {})
            case _:
                params = {"multiplier": 29000, "shift": 15, "output_zero_point": rng.randrange(9)}
                state.append(engine, "rescale", [target, x], params)
        overwrite(target)
    state.append(
        Engine.STORE, "store", [dense(Space.OUTPUT, 0, DType.SI8, SHAPE), rng.choice(live)], {}
    )
    return builder.finish(), line


def _data_bytes(descriptor: TensorDescriptor) -> frozenset[tuple[Space, int]]:
    return bytes_of(descriptor._replace(padding_bytes=0))


@dataclass
class _State:
    call: FunctionCallBuilder
    line: list[Access]
    drop_wait: int | None
    waits_made: int = 0

    def append(
        self,
        engine: Engine,
        opcode: str,
        operands: list[TensorDescriptor],
        params: dict[str, Any],
    ) -> None:
        queue = (0, engine)
        access = Access(queue, self.call.length(0, engine), operands[1:], operands[0])
        for other in self.line:
            if other.queue != queue and access.conflicts(other):
                access.waits[other.queue] = max(
                    access.waits.get(other.queue, 0), other.position + 1
                )
        for key in list(access.waits):
            if self.waits_made == self.drop_wait:
                del access.waits[key]
            self.waits_made += 1
        self.call.append(0, engine, opcode, operands, params, access.waits)
        self.line.append(access)


def has_unordered_conflict(line: list[Access]) -> bool:
    """Whether two conflicting accesses aren't ordered by queues and waits: by reachability over
    explicit edges, nothing shared with the checker's vector clocks."""
    reachable: list[set[int]] = []
    for index, access in enumerate(line):
        before: set[int] = set()
        for earlier, other in enumerate(line[:index]):
            same_queue = other.queue == access.queue
            waited = other.position < access.waits.get(other.queue, 0)
            if same_queue or waited:
                before |= {earlier} | reachable[earlier]
        reachable.append(before)
    return any(
        access.conflicts(other) and earlier not in reachable[index]
        for index, access in enumerate(line)
        for earlier, other in enumerate(line[:index])
    )


def count_waits(line: list[Access]) -> int:
    """All waits of a program."""
    return sum(len(access.waits) for access in line)


def resized_image(opcode: str = "roi_resize", plane: Tensor | None = None) -> Program:
    """A gray image of up to 64x64 that the resizer makes 8x8, or that something else reads."""
    builder = ProgramBuilder("nash-e", l1_bytes=4096)
    graph = builder.graph("main")
    y = plane or Tensor.open("y", DType.UI8, (1, 64, 64, 1), (1, 2), 32)
    graph.input(y)
    graph.input(Tensor.dense("roi", DType.SI32, (1, 4)))
    graph.output(Tensor.dense("out", DType.SI8, (1, 8, 8, 1)))
    graph.layer("layer0")
    call = graph.function_call()
    roi = dense(Space.L1, 0, DType.SI32, (1, 4))
    call.append(0, Engine.LOAD, "load", (roi, dense(Space.INPUT, 0, DType.SI32, (1, 4), 1)))
    source = dense(Space.INPUT, 0, DType.UI8, y.shape)
    tile = dense(Space.L1, 64, DType.SI8, (1, 8, 8, 1))
    if opcode == "roi_resize":
        params = {"size": (8, 8), "mode": "GRAY", "pad_value": (7, 0)}
        call.append(0, Engine.LOAD, opcode, (tile, roi, source), params)
    else:
        part = source._replace(shape=(1, 8, 8, 1))
        call.append(0, Engine.LOAD, opcode, (tile._replace(dtype=DType.UI8), part))
    output = dense(Space.OUTPUT, 0, DType.SI8, (1, 8, 8, 1))
    call.append(0, Engine.STORE, "store", (output, tile), waits={(0, Engine.LOAD): 2})
    return builder.finish()


def new_graph(
    l1_bytes: int = 4096, cores: int = 1, workspace_bytes: int = 0
) -> tuple[ProgramBuilder, GraphBuilder]:
    """A graph with input x and output y of (1, 2, 2, 8) si8, and no instructions yet."""
    builder = ProgramBuilder("nash-e", cores=cores, l1_bytes=l1_bytes)
    graph = builder.graph("main")
    graph.workspace_bytes = workspace_bytes
    graph.input(Tensor.dense("x", DType.SI8, SHAPE))
    graph.output(Tensor.dense("y", DType.SI8, SHAPE))
    graph.layer("layer0")
    return builder, graph
