"""int8, int16 and float16 by op, in every mixture: what converts, how close it stays, the same
bits."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.ir import Operation

from hbir.backend.march import load_march
from hbir.compiler import build_program, schedule_module
from hbir.dialects.hbir.cast import FakeCastOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.hbm.hbm import Graph
from hbir.module import Module
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

Array = np.ndarray[Any, Any]

MAP = "tensor<1x5x6x4xf32>"
WEIGHTS = np.random.default_rng(5).integers(-127, 128, (4, 3, 3, 4)) / 127
WEIGHTS[:, 0, 0, 0] = 1.0  # so that int8 holds all of them exactly

# Kind → what computes %y from the tensors %a and %b, and the type of %y.
OPS: dict[str, tuple[str, str]] = {
    "conv2d": (f"hbir.conv2d %a, %w, %k {{pad = [1, 1, 1, 1]}} : ({MAP}, W, K) -> {MAP}", MAP),
    "depthwise": (
        f"hbir.conv2d %a, %d {{groupNum = 4 : i64}} : ({MAP}, D) -> tensor<1x3x4x4xf32>",
        "tensor<1x3x4x4xf32>",
    ),
    "convtranspose": (
        f"hbir.convtranspose %a, %t, %k {{stride = [2, 1]}} : ({MAP}, T, K)"
        " -> tensor<1x11x8x4xf32>",
        "tensor<1x11x8x4xf32>",
    ),
    "linear": (f"hbir.linear %a, %l, %k : ({MAP}, L, K) -> {MAP}", MAP),
    "residual": (
        f"hbir.conv2d %a, %w, %k {{pad = [1, 1, 1, 1]}} : ({MAP}, W, K) -> {MAP}\n"
        f"%s = hbir.add %c, %b : ({MAP}, {MAP}) -> {MAP}\n%y = hbir.relu %s : {MAP}",
        MAP,
    ),
    "add": (f"hbir.add %a, %b : ({MAP}, {MAP}) -> {MAP}", MAP),
    "sub": (f"hbir.sub %a, %b : ({MAP}, {MAP}) -> {MAP}", MAP),
    "mul": (f"hbir.mul %a, %b : ({MAP}, {MAP}) -> {MAP}", MAP),
    "max": (f"hbir.max %a, %b : ({MAP}, {MAP}) -> {MAP}", MAP),
    "min": (f"hbir.min %a, %b : ({MAP}, {MAP}) -> {MAP}", MAP),
    "add_constant": (f"hbir.add %a, %k : ({MAP}, K) -> {MAP}", MAP),
    "tanh": (f"hbir.tanh %a : {MAP}", MAP),
    "prelu": (f"hbir.prelu %a, %k : ({MAP}, K) -> {MAP}", MAP),
    "softmax": (f"hbir.softmax %a {{dim = 3 : i64}} : {MAP}", MAP),
    "reduce_mean": (
        f"hbir.reduce_mean %a {{dims = [1, 2], keepDim = true}} : ({MAP}) -> tensor<1x1x1x4xf32>",
        "tensor<1x1x1x4xf32>",
    ),
    "avg_pool": (
        f"hbir.avg_pool %a {{kernel = [2, 2], stride = [1, 1]}} : ({MAP}) -> tensor<1x4x5x4xf32>",
        "tensor<1x4x5x4xf32>",
    ),
    "max_pool": (
        f"hbir.max_pool %a {{kernel = [2, 2], stride = [1, 1]}} : ({MAP}) -> tensor<1x4x5x4xf32>",
        "tensor<1x4x5x4xf32>",
    ),
    "resize2d": (
        "hbir.resize2d %a {size = [9, 7], step = [0.5555, 0.857], initialOffset = [-0.2, -0.1],"
        f' mode = "bilinear"}} : ({MAP}) -> tensor<1x9x7x4xf32>',
        "tensor<1x9x7x4xf32>",
    ),
    "concat": (
        f"hbir.concat %a, %b {{dim = 3 : i64}} : ({MAP}, {MAP}) -> tensor<1x5x6x8xf32>",
        "tensor<1x5x6x8xf32>",
    ),
    "pad": (
        "hbir.pad %a {begin = [0, 1, 0, 0], end = [0, 0, 2, 0], padValue = 0.5 : f64}"
        f" : ({MAP}) -> tensor<1x6x8x4xf32>",
        "tensor<1x6x8x4xf32>",
    ),
    "layernorm": (f"hbir.layernorm %a, %k, %k {{dims = [3]}} : ({MAP}, K, K) -> {MAP}", MAP),
    "reduce_sum": (
        f"hbir.reduce_sum %a {{dims = [1, 3], keepDim = true}} : ({MAP}) -> tensor<1x1x6x1xf32>",
        "tensor<1x1x6x1xf32>",
    ),
    "reduce_max": (
        f"hbir.reduce_max %a {{dims = [2], keepDim = true}} : ({MAP}) -> tensor<1x5x1x4xf32>",
        "tensor<1x5x1x4xf32>",
    ),
    "where": (f"hbir.where %k, %a, %b : (tensor<4xf32>, {MAP}, {MAP}) -> {MAP}", MAP),
    "clip": (f"hbir.clip %a {{min = -0.3 : f64, max = 1.5 : f64}} : {MAP}", MAP),
    "matmul": (
        f"hbir.transpose %b {{dims = [0, 1, 3, 2]}} : ({MAP}) -> tensor<1x5x4x6xf32>\n"
        f"%y = hbir.matmul %a, %c : ({MAP}, tensor<1x5x4x6xf32>) -> tensor<1x5x6x6xf32>",
        "tensor<1x5x6x6xf32>",
    ),
    "transpose": (
        f"hbir.transpose %a {{dims = [0, 3, 1, 2]}} : ({MAP}) -> tensor<1x4x5x6xf32>",
        "tensor<1x4x5x6xf32>",
    ),
}
WEIGHTED = ("conv2d", "depthwise", "convtranspose", "linear", "residual")
KEEPING = (
    "max_pool",
    "resize2d",
    "concat",
    "pad",
    "transpose",
    "max",
    "min",
    "where",
    "reduce_max",
)
FLOAT16_MARCHES = ("nash-p", "nash-h", "nash-b")


def network(kind: str) -> str:
    """Two tensors by tables, an op over them, and a pool that keeps its result quantized."""
    op, shape = OPS[kind]
    result = "%c" if kind in ("residual", "matmul") else "%y"
    constants = {
        "W": ("w", (4, 3, 3, 4), WEIGHTS),
        "T": ("t", (4, 3, 3, 4), WEIGHTS.transpose(3, 1, 2, 0)),
        "D": ("d", (4, 3, 3, 1), WEIGHTS[..., :1]),
        "L": ("l", (4, 4), WEIGHTS[:, 0, 0, :].T / np.abs(WEIGHTS[:, 0, 0, :]).max(axis=1)),
        "K": ("k", (4,), np.array([0.25, -0.5, 0.75, 0.1])),
    }
    lines: list[str] = []
    for letter, (name, extents, array) in constants.items():
        type_ = f"tensor<{'x'.join(map(str, extents))}xf32>"
        values = np.asarray(array, np.float32).tolist()
        lines.append(f"%{name} = hbir.constant dense<{values}> : {type_}")
        for before, after in ((", ", ", "), (")", ")")):
            op = op.replace(f" {letter}{before}", f" {type_}{after}")
    body = "\n".join(lines)
    return f"""
func.func @net(%x: {MAP} {{hbir.name = "x"}}, %z: {MAP} {{hbir.name = "z"}}) -> {shape} {{
  {body}
  %a = hbir.leaky_relu %x {{slop = 0.5, origin = #hbir.origin<"a", from "first" "Table">}} : {MAP}
  %b = hbir.leaky_relu %z {{slop = 0.25, origin = #hbir.origin<"b", from "second" "Table">}} : {MAP}
  {result} = {_with_origin(op)}
  %o = hbir.max_pool %y {{kernel = [2, 2], stride = [1, 1], pad = [0, 0, 1, 1]}} : ({shape}) -> {shape}
  func.return %o : {shape}
}}
"""


def _with_origin(op: str) -> str:
    """Name the node "op": it is what `dtype` goes by."""
    origin = 'origin = #hbir.origin<"y", from "op" "Op">'
    lines: list[str] = []
    for line in op.split("\n"):
        if "{" in line:
            lines.append(line.replace("{", f"{{{origin}, ", 1))
        else:
            lines.append(line.replace(" : ", f" {{{origin}}} : ", 1))
    return "\n".join(lines)


def draw_inputs(seed: int) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    shape = (1, 5, 6, 4)
    x = generator.normal(0, generator.uniform(0.5, 4), shape)
    z = generator.normal(generator.uniform(-1, 1), generator.uniform(0.5, 4), shape)
    return {"x": x.astype(np.float32), "z": z.astype(np.float32)}


@pytest.mark.parametrize("kind", sorted(OPS))
@settings(max_examples=4, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_every_mixture_computes_what_the_fake_quants_say(
    kind: str, data: st.DataObject, seed: int
) -> None:
    weights = data.draw(st.sampled_from(["int8", "int16"])) if kind in WEIGHTED else "int8"
    dtypes = st.sampled_from(["int8", "int16", "float16"])
    first, second, output = (data.draw(dtypes) for _ in range(3))
    node = {"output": output}
    if kind in WEIGHTED:
        node["input1"] = weights
    choice = {"first": {"output": first}, "op": node}
    if "%b" in OPS[kind][0]:
        choice["second"] = {"output": second}
    else:
        second = first
    inputs = draw_inputs(seed)
    asymmetric = data.draw(st.booleans())
    qat = calibrate(Module.parse(network(kind)), [inputs], dtype=choice, asymmetric=asymmetric)
    marches = FLOAT16_MARCHES if "float16" in (first, second, output) else ("nash-e", "nash-p")
    march = data.draw(st.sampled_from(marches))
    quantized = convert_module(qat, march)
    assert not [op for op in quantized.functions[0].operations if op.name == "hbtl.call"]
    wanted = next(iter(qat.functions[0].feed(inputs).values()))
    found = next(iter(quantized.functions[0].feed(inputs).values()))
    # Of one step of the result: multipliers have 15 bits, so 16-bit results may be some steps off.
    widths = {output, *((first, second) if kind in KEEPING else ())}
    extent = float(np.abs(wanted).max())
    steps = 24 if kind == "resize2d" else 4  # the weights of bilinear neighbours have 11 bits
    step = steps * 2 * extent / 65535 if "int16" in widths else 2 * extent / 255
    if "float16" in (*widths, first, second):  # a step of it, which two roundings may cost
        step = max(step if "float16" not in widths else 0.0, extent * 2.0**-10)
    np.testing.assert_allclose(found, wanted, atol=1.02 * step, rtol=0)
    if data.draw(st.integers(0, 3)) == 0:
        assert_same_bits(quantized, march, data.draw(st.integers(0, 2)), inputs)


def assert_same_bits(module: Module, march: str, opt: int, inputs: dict[str, Array]) -> None:
    expected = module.functions[0].feed(inputs)
    scheduled = schedule_module(module, march, opt)
    graph = (program := build_program(scheduled, load_march(march), opt)).graphs[0]
    for found in (
        scheduled.functions[0].feed(inputs),
        Graph(program, graph).feed(inputs, order=random.Random(1)),
    ):
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)


def bits_of(module: Module) -> list[int]:
    ops = module.functions[0].operations
    return [op.params()["bits"] for op in ops if isinstance(op, ConstFakeQuantOp)]


def test_one_type_is_for_everything() -> None:
    module = Module.parse(network("add"))
    assert set(bits_of(calibrate(module, [draw_inputs(1)], dtype="int16"))) == {16}
    assert set(bits_of(calibrate(module, [draw_inputs(1)]))) == {8}


def test_inputs_go_by_the_order_of_the_node() -> None:
    module = Module.parse(network("add"))
    widened = calibrate(module, [draw_inputs(1)], dtype={"op": {"input1": "int16"}})
    assert bits_of(widened) == [8, 8, 8, 16, 8]  # z, x, b's operand is %b, then y
    widened = calibrate(module, [draw_inputs(1)], dtype={"x": "int16"})
    assert sorted(bits_of(widened)) == [8, 8, 8, 8, 16]


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ({"opp": "int16"}, "there is no node or input 'opp'; did you mean 'op'"),
        ({"op": "int4"}, "dtype of 'op': 'int4' is not int8, int16 or float16"),
        ({"op": {"input7": "int16"}}, "it has no 'input7'; use input0, input1 or output"),
        ("int12", "dtype of 'every node': 'int12' is not int8, int16 or float16"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(dtype: Any, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        calibrate(Module.parse(network("add")), [draw_inputs(1)], dtype=dtype)


def casts_of(module: Module) -> list[str]:
    """What each fake_cast reads, by the op that makes it."""
    ops = [op for op in module.functions[0].operations if isinstance(op, FakeCastOp)]
    return [op.x.owner.name if isinstance(op.x.owner, Operation) else "input" for op in ops]


def test_float16_of_a_product_is_its_output() -> None:
    """The multiplied tensors stay integers, and what is fused behind is part of it."""
    qat = calibrate(Module.parse(network("residual")), [draw_inputs(1)], dtype={"op": "float16"})
    assert "hbir.relu" in casts_of(qat)
    assert "hbir.conv2d" not in casts_of(qat)
    everything = calibrate(Module.parse(network("conv2d")), [draw_inputs(1)], dtype="float16")
    assert casts_of(everything) == ["input", "hbir.leaky_relu", "hbir.conv2d"]
    assert bits_of(everything) == [8]  # what the convolution multiplies


@pytest.mark.parametrize(
    ("kind", "dtype", "message"),
    [
        ("conv2d", {"input0": "float16"}, "input0 can't be float16: TAE multiplies integers"),
        ("conv2d", {"input1": "float16"}, "input1 can't be float16: TAE multiplies integers"),
        ("matmul", {"input1": "float16"}, "input1 can't be float16: TAE multiplies integers"),
    ],
)
def test_float16_where_only_integers_go_is_refused(kind: str, dtype: Any, message: str) -> None:
    with pytest.raises(HbirError, match=f"dtype of 'op': {message}"):
        calibrate(Module.parse(network(kind)), [draw_inputs(1)], dtype={"op": dtype})


def test_float16_needs_a_march_that_has_it() -> None:
    qat = calibrate(Module.parse(network("tanh")), [draw_inputs(1)], dtype={"first": "float16"})
    with pytest.raises(HbirError, match='tensor "x" is float16, which bayes-e doesn\'t have'):
        convert_module(qat, "bayes-e")
