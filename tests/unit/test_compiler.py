"""Compiled programs compute the IR's bits, in every legal order, and wrong waits don't pass."""

import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typing_extensions import override
from xdsl.ir import Attribute

from hbir.backend.codegen.queues import Needs, Queues
from hbir.backend.isa.enums import Engine
from hbir.backend.isa.program import CpuSegment, Program
from hbir.backend.march import Machine, load_march
from hbir.backend.tiling import estimate
from hbir.backend.timeline import play
from hbir.compiler import (
    ScheduleOptions,
    build_program,
    compile_module,
    compile_program,
    predicted_cycles,
    schedule_module,
    schedule_passes,
)
from hbir.compiler.build import DensePorts
from hbir.dialects.bpu.elementwise import MaxOp
from hbir.dialects.bpu.float16 import FloatSoftmaxOp
from hbir.dialects.bpu.move import ConcatOp, SliceOp
from hbir.dialects.bpu.pool import MaxPoolOp
from hbir.dialects.bpu.reduce import ReduceMaxOp
from hbir.dialects.layers import body_ops, layer_of, tiling_of
from hbir.errors import HbirError
from hbir.hbm.hbm import Array, Graph
from hbir.hbm.reader import decode_program
from hbir.hbm.writer import encode_program
from hbir.ir.types import shape_of
from hbir.module import Module
from hbir.passes.manager import PassManager
from hbir.runtime.hazards import HazardError
from tests.unit.networks import F32, SI8, Network, feeds, random_network

MARCHES = ("nash-e", "nash-m", "nash-p", "nash-b", "bernoulli2")
DENSE = DensePorts(inputs=True, outputs=True)


@pytest.fixture(scope="module")
def small_march(tmp_path_factory: pytest.TempPathFactory) -> str:
    """nash-e with 48 KiB of on-chip memory: even small networks need many tiles."""
    return march_file(tmp_path_factory.mktemp("march") / "small.toml", 49152)


def march_file(path: Path, l1_bytes: int, extends: str = "nash-e") -> str:
    path.write_text(
        f'name = "l1 of {l1_bytes}"\ndescription = "little memory"\nextends = "{extends}"\n[memory]\n'
        f'l1_bytes = {{ value = {l1_bytes}, origin = "assumed", source = "a test" }}\n'
    )
    return str(path)


def assert_same_bits(
    module: Module, program: Program, seed: int = 0, inputs: dict[str, Array] | None = None
) -> None:
    """Outputs and all tensors on the way, as the program's file has them."""
    inputs = feeds(module, seed) if inputs is None else inputs
    tensors: dict[str, Array] = {}
    expected = module.functions[0].feed(inputs, partial(keep, tensors))
    program = decode_program(encode_program(program))
    graph = Graph(program, program.graphs[0])
    for order in (None, random.Random(seed)):
        found: dict[str, Array] = {}
        outputs = graph.feed(inputs, partial(keep, found), order=order)
        assert found.keys() == tensors.keys()
        for actual, wanted in ((outputs, expected), (found, tensors)):  # names may be in both
            for name, array in actual.items():
                np.testing.assert_array_equal(array, wanted[name], err_msg=name, strict=True)


def keep(tensors: dict[str, Array], name: str, array: Array, _: object) -> None:
    assert name not in tensors
    tensors[name] = array.copy()


def scheduled_program(
    module: Module, machine: Machine, march: str, options: ScheduleOptions
) -> Program:
    copy = module.clone()
    manager = PassManager(schedule_passes(march, options), verify=False)
    manager.run(copy.context, copy.op)
    return build_program(copy, machine, options.opt, cores=options.cores)


def program_of(module: Module, march: str, opt: int) -> Program:
    return build_program(schedule_module(module, march, opt), load_march(march), opt)


@settings(max_examples=12)
@given(st.integers(0, 100_000), st.sampled_from(MARCHES), st.integers(0, 2))
def test_random_networks_give_the_same_bits(seed: int, march: str, opt: int) -> None:
    module = random_network(seed, march)
    assert_same_bits(module, program_of(module, march, opt), seed)


@pytest.mark.parametrize("opt", [0, 1, 2])
@pytest.mark.parametrize("seed", [1, 2, 5, 8, 9, 11])
def test_many_tiles_give_the_same_bits(seed: int, opt: int, small_march: str) -> None:
    module = random_network(seed)
    assert_same_bits(module, program_of(module, small_march, opt), seed)


@settings(max_examples=10)
@given(
    st.integers(0, 100_000),
    st.sampled_from(["nash-p", "nash-h", "nash-b"]),
    st.integers(0, 2),
    st.booleans(),
)
def test_float16_gives_the_same_bits(seed: int, march: str, opt: int, little: bool) -> None:
    """Networks of all types, on a march's memory and where only tiles beside a table fit."""
    module = random_network(seed, march)
    with tempfile.TemporaryDirectory() as folder:
        path = march_file(Path(folder, "small.toml"), 1 << 18, march) if little else march
        scheduled = schedule_module(module, path, opt)
        inputs = feeds(module, seed)
        expected = module.functions[0].feed(inputs)
        for name, array in scheduled.functions[0].feed(inputs).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
        assert_same_bits(module, build_program(scheduled, load_march(path), opt), seed)


def test_a_march_without_float16_does_not_compile_it() -> None:
    net = Network({"x": ((1, 5, 6, 3), SI8)})
    y = net.add(FloatSoftmaxOp, net.float_conv(net.inputs[0], 4), dim=3)
    with pytest.raises(HbirError, match="march nash-e has no engine for float_softmax"):
        program_of(net.finish({"y": y}, "nash-e"), "nash-e", 1)


def test_float16_of_another_march_is_refused() -> None:
    """TAE's own output could be rounded so on any march, which has no float16 to go on with."""
    net = Network({"x": ((1, 5, 6, 3), SI8)})
    module = net.finish({"y": net.float_conv(net.inputs[0], 4)}, "nash-p")
    for march in ("nash-p", "nash-h"):
        schedule_module(module, march, 0)
    with pytest.raises(
        HbirError, match="is float16, which nash-e doesn't have: the module was conv"
    ):
        schedule_module(module, "nash-e", 0)


class OneTypeNetwork(Network):
    """All results are si8, as concat needs it."""

    @override
    def element(self) -> Attribute:
        return SI8


def csp_network(seed: int) -> Module:
    """Branches as detectors have them: slices, a residual, concats, a skip that is read late."""
    random = np.random.default_rng(seed)
    h, w = (2 * int(random.integers(6, 24)) for _ in range(2))
    c = int(random.choice([3, 8, 16, 32]))
    net = OneTypeNetwork({"image": ((int(random.integers(1, 3)), h, w, 8), SI8)}, seed)
    x = net.conv(net.inputs[0], 2 * c, 3, pad=[1] * 4, stride=[int(random.integers(1, 3)), 1])
    n, h, w, _ = shape_of(x)
    halves = [
        net.add(SliceOp, x, begin=[0, 0, 0, k * c], end=[n, h, w, k * c + c], step=[1] * 4)
        for k in (0, 1)
    ]
    y = net.conv(net.lut(net.conv(halves[1], c, 3, pad=[1] * 4)), c, 3, pad=[1] * 4)
    parts = [*halves, net.add_values(y, halves[1])]
    joined = net.conv(net.add(ConcatOp, *parts, dim=3), 16, 1)
    pooled = net.add(MaxPoolOp, joined, kernel=[3, 3], stride=[2, 2], pad=[1] * 4)
    for _ in range(int(random.integers(0, 3))):
        pooled = net.conv(pooled, 16, 3, pad=[1] * 4, group_num=int(random.choice([1, 16])))
    back = net.resize(pooled, (h, w), "nearest")
    last = net.conv(net.add(ConcatOp, back, x, dim=3), 5, 3, pad=[1] * 4)
    return net.finish({"last": last, "pooled": pooled})


@settings(max_examples=12)
@given(st.integers(0, 100_000), st.sampled_from([24576, 49152, 131072, 1 << 21]))
def test_groups_give_the_same_bits(seed: int, l1_bytes: int) -> None:
    module = csp_network(seed)
    with tempfile.TemporaryDirectory() as folder:
        march = march_file(Path(folder, "small.toml"), l1_bytes)
        scheduled = schedule_module(module, march, 2)
        inputs = feeds(module, seed)
        expected = module.functions[0].feed(inputs)
        for name, array in scheduled.functions[0].feed(inputs).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
        assert_same_bits(module, build_program(scheduled, load_march(march), 2), seed)


def test_groups_use_line_buffers_and_tensors_in_place(small_march: str) -> None:
    text = schedule_module(csp_network(0), small_march, 2).asm()
    assert ", rows " in text
    assert ", lead " in text
    assert ", strides [" in text


@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.integers(0, 100_000),
    st.sampled_from(MARCHES),
    st.integers(0, 2),
    st.sampled_from([0, 30, 100]),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(False, False), (True, False), (False, True), (True, True)]),
)
def test_every_option_gives_the_same_bits(
    seed: int, march: str, opt: int, balance: int, cores: int, calls: bool, csp: bool,
    dense: tuple[bool, bool],
) -> None:  # fmt: skip
    machine = load_march(march)
    module = csp_network(seed) if csp else random_network(seed, march)
    options = ScheduleOptions(
        opt,
        cores=min(cores, machine.cores),
        call_cycles=3000 if calls else 0,
        l2_bytes=machine.memory.l2_bytes // cores,
        patient=balance == 30,
    )
    program = scheduled_program(module, machine, march, options)
    assert_same_bits(module, program, seed)
    whole = compile_program(
        module, march, opt, balance=balance, core_num=min(cores, machine.cores),
        max_time_per_fc=1000.0 if calls else 0.0,
        input_no_padding=dense[0], output_no_padding=dense[1],
    )  # fmt: skip
    assert_same_bits(module, whole, seed)


def test_cores_share_layers_and_wait_for_each_other() -> None:
    module = deep_network()
    machine = load_march("nash-p")
    alone, together = (
        scheduled_program(module, machine, "nash-p", ScheduleOptions(1, cores=cores))
        for cores in (1, 4)
    )
    call = next(together.graphs[0].calls())
    assert {core for core, _ in call.queues} == {0, 1, 2, 3}
    assert_same_bits(module, together)
    assert predicted_cycles(machine, together) < predicted_cycles(machine, alone)


def test_function_calls_keep_their_limit() -> None:
    module = deep_network()
    machine = load_march("bernoulli2")
    whole = compile_program(module, "bernoulli2", 2)
    assert sum(1 for _ in whole.graphs[0].calls()) == 1
    split = scheduled_program(module, machine, "bernoulli2", ScheduleOptions(2, call_cycles=60000))
    assert sum(1 for _ in split.graphs[0].calls()) > 1
    assert_same_bits(module, split)


def test_l2_takes_traffic_off_the_ddr() -> None:
    module = deep_network()
    machine = load_march("nash-p")
    moved: list[int] = []
    for l2_bytes in (0, machine.memory.l2_bytes):
        options = ScheduleOptions(1, l2_bytes=l2_bytes)
        program = scheduled_program(module, machine, "nash-p", options)
        assert_same_bits(module, program)
        played = play(machine, program, program.graphs[0])
        moved.append(int(played.instructions["ddr_bytes"].sum()))
    assert moved[1] < moved[0]


def test_a_cached_file_is_used_again(tmp_path: Path) -> None:
    kept = tmp_path / "cache"
    kept.mkdir()
    module = random_network(5)
    first = compile_module(module, tmp_path / "a.hbm", cache_path=str(kept))
    (file,) = kept.iterdir()
    file.write_bytes(Path(tmp_path, "a.hbm").read_bytes())
    file.touch()
    again = compile_module(random_network(5), tmp_path / "b.hbm", cache_path=str(kept))
    assert Path(tmp_path, "a.hbm").read_bytes() == Path(tmp_path, "b.hbm").read_bytes()
    assert first.graphs[0].name == again.graphs[0].name
    compile_module(module, tmp_path / "c.hbm", opt=1, cache_path=str(kept))
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_a_split_reduction_gives_the_same_bits(opt: int, small_march: str) -> None:
    net = Network({"x": ((1, 4, 5, 7000), SI8)})
    module = net.finish({"y": net.conv(net.inputs[0], 20, 3, pad=[1, 1, 1, 1], pad_value=3)})
    scheduled = schedule_module(module, small_march, opt)
    convolution = next(iter(body_ops(scheduled.functions[0].op))).op
    assert tiling_of(convolution, layer_of(convolution)).tile[4] < 7000
    assert_same_bits(module, build_program(scheduled, load_march(small_march), opt))


def deep_network() -> Module:
    net = Network({"image": ((1, 60, 60, 24), F32)})
    x = net.quantize(net.inputs[0])
    for width in (48, 24, 64):
        x = net.conv(x, width, 3, pad=[1, 1, 1, 1])
        x = net.lut(x)
    return net.finish({"y": net.dequantize(x)})


@pytest.mark.parametrize("lost", range(24))
def test_a_lost_wait_is_a_hazard(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is needed: without it, the checker finds an unordered access."""
    waits_of = Queues._waits  # pyright: ignore[reportPrivateUsage] # the fault is injected there
    seen = 0

    def forgetful(self: Queues, engine: int, needs: Needs) -> Needs:
        nonlocal seen
        waits = waits_of(self, engine, needs)
        kept: Needs = {}
        for other, count in waits.items():
            if seen != lost * 3:
                kept[other] = count
            seen += 1
        return kept

    module = deep_network()
    monkeypatch.setattr(Queues, "_waits", forgetful)
    program = program_of(module, "bernoulli2", 2)
    assert seen > lost * 3
    with pytest.raises(HazardError):
        Graph(program, program.graphs[0]).feed(feeds(module))


def test_outputs_that_nothing_computes_are_copied() -> None:
    net = Network({"x": ((1, 5, 6, 3), SI8), "f": ((2, 7), F32)})
    x, f = net.inputs
    y = net.lut(x)
    constant = net.constant(net.integers((3, 50)))
    module = net.finish({"y": y, "twice": y, "same": x, "float": f, "fixed": constant})
    assert_same_bits(module, program_of(module, "nash-e", 1))


def test_cpu_calls_split_the_graph() -> None:
    net = Network({"image": ((1, 9, 9, 4), F32)})
    x = net.conv(net.quantize(net.inputs[0]), 8)
    x = net.quantize(net.cpu_relu(net.dequantize(x)))
    module = net.finish({"y": net.dequantize(net.conv(x, 3))})
    program = program_of(module, "nash-e", 2)
    kinds = [type(segment).__name__ for segment in program.graphs[0].segments]
    assert kinds == ["BpuSegment", "CpuSegment", "BpuSegment"]
    call = program.graphs[0].segments[1]
    assert isinstance(call, CpuSegment)
    assert call.reason == "a test"
    assert_same_bits(module, program)


@pytest.mark.parametrize("march", MARCHES)
def test_the_bound_is_the_timeline(march: str) -> None:
    """The search's steady-state bound is within 10 % of the player, layer by layer."""
    machine = load_march(march)
    for module in single_layers():
        for opt in (0, 1):
            scheduled = schedule_module(module, march, opt)
            op = next(b.op for b in body_ops(scheduled.functions[0].op) if b.is_layer)
            layer = layer_of(op)
            bound = estimate(machine, layer, tiling_of(op, layer)).cycles
            program = build_program(scheduled, machine, opt, dense=DENSE)  # as the bound has it
            played = cycles(machine, program)
            assert bound == pytest.approx(played, rel=0.1), (layer.kind, opt)


def cycles(machine: Machine, program: Program) -> float:
    return play(machine, program, program.graphs[0]).cycles


def single_layers() -> list[Module]:
    modules: list[Module] = []
    for h, cin, cout, kernel, groups in (
        (56, 64, 64, 3, 1),
        (28, 256, 512, 1, 1),
        (56, 96, 96, 3, 96),
        (7, 512, 512, 3, 1),
        (1, 2048, 1000, 1, 1),
    ):
        net = Network({"x": ((1, h, h, cin), SI8)})
        pad = [kernel // 2] * 4
        modules.append(
            net.finish({"y": net.conv(net.inputs[0], cout, kernel, pad=pad, group_num=groups)})
        )
    net = Network({"x": ((1, 112, 112, 64), SI8)})
    modules.append(
        net.finish(
            {"y": net.add(MaxPoolOp, net.inputs[0], kernel=[3, 3], stride=[2, 2], pad=[1, 1, 1, 1])}
        )
    )
    net = Network({"x": ((1, 100, 90, 32), SI8), "z": ((1, 100, 90, 32), SI8)})
    modules.append(net.finish({"y": net.add_values(*net.inputs)}))
    net = Network({"x": ((6, 197, 64), SI8), "z": ((6, 197, 64), SI8)})
    modules.append(net.finish({"y": net.matmul(*net.inputs)}))
    net = Network({"x": ((1, 3136, 96), SI8)})
    modules.append(net.finish({"y": net.layernorm(net.inputs[0], center=True)}))
    return modules


def test_levels_are_never_slower_than_those_below() -> None:
    module = deep_network()
    for march in ("nash-e", "bernoulli2"):
        machine = load_march(march)
        times = [
            predicted_cycles(machine, compile_program(module, march, opt)) for opt in (0, 1, 2)
        ]
        assert times[2] <= times[1] <= times[0]


def test_constants_arrive_under_the_layer_before(small_march: str) -> None:
    """O2's placement lets a layer's first loads start before the layer above it has ended."""
    net = Network({"x": ((1, 16, 16, 64), SI8)})
    y = net.conv(net.conv(net.inputs[0], 64, 3, pad=[1] * 4), 64, 3, pad=[1] * 4)
    module = net.finish({"y": y})
    machine = load_march("nash-e")
    overlaps: list[bool] = []
    for opt in (1, 2):
        program = program_of(module, "nash-e", opt)
        rows = play(machine, program, program.graphs[0]).instructions
        layers = [n for n, one in enumerate(program.graphs[0].layers) if one.kind == "conv2d"]
        second = rows[(rows["layer"] == layers[1]) & (rows["engine"] == Engine.LOAD)]["start"].min()
        first = rows[(rows["layer"] == layers[0]) & (rows["engine"] == Engine.TAE)]["end"].max()
        overlaps.append(bool(second < first))
    assert overlaps == [False, True]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "a.hbm", tmp_path / "b.hbm"]
    for file in files:
        compile_module(random_network(3), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_scheduled_module_compiles_as_it_is(tmp_path: Path) -> None:
    module = random_network(4)
    scheduled = schedule_module(module, opt=1)
    assert (scheduled.level, module.level) == ("scheduled", "quantized")
    parsed = Module.parse(scheduled.asm(elide=False))
    hbm = compile_module(parsed, tmp_path / "m.hbm")
    inputs = feeds(module)
    expected = module.functions[0].feed(inputs)
    for name, array in hbm.graphs[0].feed(inputs).items():
        np.testing.assert_array_equal(array, expected[name])


WRONG_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"speed": 1}, "compile has no option 'speed'; it takes advice"),
    ({"balance": 101}, "balance is 101; it is a whole number from 0 to 100"),
    ({"core_num": 4}, "core_num is 4; it is a whole number from 1 to 1 on nash-e"),
    ({"max_time_per_fc": 7}, "max_time_per_fc is 7; it is 0, or 1000 to 10000000 microseconds"),
    ({"max_l2m_size": 64}, "max_l2m_size is 64, but nash-e has no L2 memory"),
    ({"cache_mode": "often"}, "cache_mode is 'often'; it is one of disable, enable"),
    ({"cache_mode": "enable"}, "give cache_path, a folder"),
    ({"cache_path": "/nowhere"}, "cache_path /nowhere: no such folder"),
]


def test_wrong_requests_are_told(tmp_path: Path) -> None:
    module = random_network(4)
    with pytest.raises(HbirError, match=r"must end with \.hbm"):
        compile_module(module, tmp_path / "m.bin")
    for options, message in WRONG_OPTIONS:
        with pytest.raises(HbirError, match=message):
            compile_module(module, tmp_path / "m.hbm", **options)
    with pytest.raises(HbirError, match="optimization levels are 0, 1 and 2"):
        schedule_module(module, opt=3)
    with pytest.raises(HbirError, match="'nash-x' is unknown"):
        schedule_module(module, "nash-x")
    module.level = "qat"
    with pytest.raises(HbirError, match="level qat can't be scheduled; convert it first"):
        schedule_module(module)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_a_scalar_is_computed_like_any_tensor(opt: int, tmp_path: Path) -> None:
    net = Network({"x": ((3, 70), SI8)})
    x = net.inputs[0]
    largest = net.add(ReduceMaxOp, x, dims=[0, 1])
    bounded = net.add(MaxOp, x, net.as_si8(net.lut(largest)))
    module = net.finish({"largest": largest, "bounded": bounded})
    assert_same_bits(module, program_of(module, "nash-e", opt))
    compile_module(module, tmp_path / "scalar.hbm", "nash-e", opt=opt)
