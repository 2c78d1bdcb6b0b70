"""How inputs and outputs lie in DDR: rows at the machine's stride, dense, or as a run gives them."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.ir import SSAValue

from hbir.backend.march import load_march
from hbir.backend.tiling import estimate
from hbir.backend.timeline import play
from hbir.compiler import ScheduleOptions, build_program, compile_program, schedule_module
from hbir.dialects.bpu.image import RoiResizeOp
from hbir.dialects.bpu.move import ConcatOp, ReshapeOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.layers import body_ops, layer_of, tiling_of
from hbir.ir.types import SI32, UI8, open_tensor, tensor
from tests.unit.cameras import camera_feed, camera_network
from tests.unit.networks import SI8, Network
from tests.unit.test_compiler import assert_same_bits, march_file, scheduled_program


@pytest.mark.parametrize(("march", "stride"), [("nash-e", 32), ("nash-p", 64)])
def test_rows_of_inputs_and_outputs_lie_at_the_machines_stride(march: str, stride: int) -> None:
    net = Network({"image": ((2, 5, 7, 3), SI8), "vector": ((4, 33), SI8)})
    module = net.finish({"y": net.conv(net.inputs[0], 5), "v": net.lut(net.inputs[1])})
    (padded,) = compile_program(module, march).graphs
    (dense,) = compile_program(
        module, march, input_no_padding=True, output_no_padding=True
    ).graphs  # fmt: skip
    image, vector = padded.inputs
    rows = {32: 32, 64: 64}[stride]  # 7 columns of 3 channels are 21 bytes
    assert image.strides == (5 * rows, rows, 3, 1)
    assert vector.strides == (64, 1)
    assert all(t.strides[-3 if len(t.shape) == 4 else 0] % stride == 0 for t in padded.outputs)
    assert image.buffer_bytes == 2 * 5 * rows
    assert dense.inputs[0].strides == (105, 21, 3, 1)
    assert dense.outputs[1].strides == (33, 1)
    for graph in (padded, dense):
        assert all(t.shape == u.shape for t, u in zip(graph.inputs, dense.inputs, strict=True))
    assert_same_bits(module, compile_program(module, march))


def test_an_images_planes_keep_their_stride_under_another_shape() -> None:
    """What flatten-planes makes of an image whose rows are no multiple of the stride."""
    net = Network({"y": ((2, 6, 10, 1), UI8), "uv": ((2, 3, 5, 2), UI8)})
    planes: list[SSAValue] = []
    for plane, shape in zip(net.inputs, ([2, 6, 10, 1], [2, 3, 5, 2]), strict=True):
        rows = net.add(ReshapeOp, plane, shape=[*shape[:2], 1, shape[2] * shape[3]])
        shifted = net.add(
            RescaleOp, rows, element=SI8, multiplier=1 << 14, shift=14, input_zero_point=128
        )  # fmt: skip
        planes.append(net.add(ReshapeOp, shifted, shape=shape))
    joined = net.add(ConcatOp, planes[0], net.resize(planes[1], (6, 10), "nearest"), dim=3)
    module = net.finish({"out": net.conv(joined, 4, 3, pad=[1] * 4)})
    for opt in (0, 1, 2):
        for march in ("nash-e", "nash-p"):
            program = compile_program(module, march, opt, input_no_padding=True)  # not of images
            stride = load_march(march).ddr.io_stride_bytes
            assert [t.strides[1] for t in program.graphs[0].inputs] == [stride, stride]
            assert_same_bits(module, program)


def test_an_input_that_is_reshaped_or_returned_lies_dense() -> None:
    net = Network({"x": ((1, 3, 5, 7), SI8), "y": ((1, 3, 5, 7), SI8)})
    net.conv(net.inputs[1], 3)
    module = net.finish({"same": net.inputs[0], "y": net.conv(net.inputs[1], 3)})
    (graph,) = compile_program(module, "nash-e").graphs
    assert graph.inputs[0].strides == (105, 35, 7, 1)
    assert graph.inputs[1].strides == (192, 64, 7, 1)
    assert_same_bits(module, compile_program(module, "nash-e"))


MARCHES = ("nash-e", "nash-m", "nash-p", "nash-h", "nash-b", "bayes", "bayes-e", "bernoulli2")


@settings(max_examples=15)
@given(
    st.integers(0, 100_000),
    st.sampled_from(MARCHES),
    st.integers(0, 2),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_resizer_gives_the_same_bits(
    seed: int, march: str, opt: int, cores: int, little: bool
) -> None:
    """Whatever image and roi a run brings. little: the resized image is made in tiles, of which odd
    rows may be the first."""
    module = camera_network(seed, march)
    with tempfile.TemporaryDirectory() as folder:
        name = march_file(Path(folder, "small.toml"), 16384, march) if little else march
        machine = load_march(name)
        options = ScheduleOptions(opt, min(cores, machine.cores) if opt == 1 else 1)
        program = scheduled_program(module, machine, name, options)
        scheduled = schedule_module(module, name, opt)
    for feed in (camera_feed(module, seed), camera_feed(module, seed + 1)):
        assert_same_bits(module, program, seed, feed)
        expected = module.functions[0].feed(feed)
        for output, array in scheduled.functions[0].feed(feed).items():
            np.testing.assert_array_equal(array, expected[output], err_msg=output, strict=True)


@pytest.mark.parametrize("opt", [0, 1])
def test_the_resizers_bound_is_the_timelines(opt: int) -> None:
    """Its reads share the DDR with the stores, in the queue of the loads."""
    planes = [((1, 8192, 8192, 1), "y"), ((1, 4096, 4096, 2), "uv")]
    inputs = {name: open_tensor(most, UI8, (-2, -3)) for most, name in planes}
    net = Network({**inputs, "roi": tensor((1, 4), SI32)})
    y, uv, roi = net.inputs
    image = net.add(RoiResizeOp, roi, y, uv, size=[640, 640])
    scheduled = schedule_module(net.finish({"image": image}), "nash-e", opt)
    machine = load_march("nash-e")
    program = build_program(scheduled, machine, opt)
    played = play(machine, program, program.graphs[0]).cycles
    (op,) = (b.op for b in body_ops(scheduled.functions[0].op))
    bound = estimate(machine, layer_of(op), tiling_of(op, layer_of(op))).cycles
    assert played == pytest.approx(bound, rel=0.1)


def test_memory_of_an_open_input_is_the_runs() -> None:
    """No buffer of the largest image is made: neither by the proof nor by the run."""
    module = camera_network(0)
    (graph,) = compile_program(module, "nash-e").graphs
    plane, roi = graph.inputs[0], graph.inputs[-1]
    assert plane.strides == (-1, -1, 1, 1)
    assert plane.run_strides((1, 220, 221, 1)) == (220 * 224, 224, 1, 1)
    assert roi.strides == (16, 4)  # as published
    assert graph.io_bytes == 16 + sum(tensor.buffer_bytes for tensor in graph.outputs)
