"""Custom ops: registered by file, imported, and the same numbers at every level."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import hbir
import hbir.custom
from hbir.dialects.hbtl import CallOp
from hbir.errors import HbirError
from hbir.hbm import Hbm
from hbir.kernels import custom as registry
from hbir.onnx import export

Helper: Any = helper

FILE = """
import numpy as np
from hbir.custom import register_op

@register_op("Swirl", domain="my.ops")
def swirl(x, *, shift=1, scale=1.0):
    return np.roll(x, shift, axis=-1) * np.float32(scale)

@register_op("Halves", domain="my.ops", infer=lambda x: [((1, x.shape[1] // 2, *x.shape[2:]), x.dtype)] * 2)
def halves(x):
    half = x.shape[1] // 2
    return x[:, :half], x[:, half:]

@register_op("Optional", domain="my.ops")
def optional(x, y, z):
    return x + 1 if y is None else x + y + z
"""

LEGACY = """
from horizon_nn.custom.op_registration import op_implement_register, op_shape_infer_register

@op_implement_register("Blur")
class Blur:
    def __init__(self, kernel_size, threshold):
        self.kernel_size, self.threshold = kernel_size, threshold

    def compute(self, x):
        return x.mean(axis=(2, 3), keepdims=True) + self.kernel_size * self.threshold

@op_shape_infer_register("Blur")
def infer_shape(inputs_shape):
    batch, channels = inputs_shape[0][:2]
    return [[batch, channels, 1, 1]]
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  (autouse)
    """What a test registers ends with it."""
    monkeypatch.setattr(registry, "_ops", {})
    monkeypatch.setattr(registry, "_shape_functions", {})


@pytest.fixture
def my_ops(tmp_path: Path) -> Path:
    """The file of ops, not registered yet."""
    path = tmp_path / "my_ops.py"
    path.write_text(FILE)
    return path


def model(*nodes: Any, out: tuple[int, ...] | None = (1, 4, 8, 8), opset: int = 17) -> Any:
    """The nodes from x (1, 4, 8, 8) to y; w is a 1×1 convolution's weights."""
    weights = np.random.default_rng(0).normal(size=(4, 4, 1, 1)).astype(np.float32)
    graph = Helper.make_graph(
        nodes,
        "net",
        [Helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 8])],
        [Helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(weights, "w")],
    )
    domains = dict.fromkeys(("", *(node.domain for node in nodes)))
    imports = [Helper.make_opsetid(name, opset if not name else 1) for name in domains]
    return Helper.make_model(graph, opset_imports=imports)


def node(kind: str, reads: list[str], gives: list[str], domain: str = "", **more: Any) -> Any:
    return Helper.make_node(kind, reads, gives, name=f"{kind}_0", domain=domain, **more)


def sandwich() -> Any:
    """A custom op between two convolutions, so that both of its sides are the BPU's."""
    return model(
        Helper.make_node("Conv", ["x", "w"], ["a"], name="conv1"),
        node("Swirl", ["a"], ["b"], "my.ops", shift=3, scale=0.5),
        Helper.make_node("Conv", ["b", "w"], ["y"], name="conv2"),
    )


def feed(seed: int = 1) -> dict[str, np.ndarray[Any, Any]]:
    return {"x": np.random.default_rng(seed).normal(size=(1, 4, 8, 8)).astype(np.float32)}


def test_it_is_computed_at_every_level_with_the_same_bits(my_ops: Path) -> None:
    (first, *_) = hbir.custom.register_files([my_ops])
    assert (first.name, first.domain, first.file) == ("Swirl", "my.ops", "my_ops.py")
    module = export(sandwich())
    calibrated = hbir.calibrate(module, [feed(seed) for seed in range(3)])
    quantized = hbir.convert(calibrated, "nash-e")
    (call,) = [op for op in quantized.functions[0].operations if isinstance(op, CallOp)]
    assert call.signature.data == "custom::Swirl"
    assert "my_ops.py" in call.reason.data
    hbm = hbir.compile(quantized, my_ops.with_name("net.hbm"))
    (wanted,) = module.functions[0].feed(feed()).values()
    (integer,) = quantized.functions[0].feed(feed()).values()
    (simulated,) = hbm.graphs[0].feed(feed()).values()
    np.testing.assert_array_equal(integer, simulated)
    scheduled = hbir.schedule(quantized, "nash-e")
    (tiled,) = scheduled.functions[0].feed(feed()).values()
    np.testing.assert_array_equal(integer, tiled)
    np.testing.assert_allclose(integer, wanted, atol=0.1 * np.abs(wanted).max())


def test_what_the_function_says_is_what_comes_out(my_ops: Path) -> None:
    hbir.custom.register_files(str(my_ops))
    module = export(model(node("Swirl", ["x"], ["y"], "my.ops", shift=2, scale=3.0)))
    (found,) = module.functions[0].feed(feed()).values()
    np.testing.assert_array_equal(found, np.roll(feed()["x"], 2, axis=-1) * np.float32(3))


def test_several_results_and_left_out_operands(my_ops: Path) -> None:
    hbir.custom.register_files([my_ops.name], my_ops.parent)
    halves = model(
        node("Halves", ["x"], ["", "b"], "my.ops"), node("Relu", ["b"], ["y"]), out=(1, 2, 8, 8)
    )
    (found,) = export(halves).functions[0].feed(feed()).values()
    np.testing.assert_array_equal(found, np.maximum(feed()["x"][:, 2:], 0))
    one = model(node("Optional", ["x", "", ""], ["y"], "my.ops"))
    (found,) = export(one).functions[0].feed(feed()).values()
    np.testing.assert_array_equal(found, feed()["x"] + 1)


def test_files_keep_name_and_file_but_no_function(my_ops: Path, tmp_path: Path) -> None:
    hbir.custom.register_files([my_ops])
    module = export(sandwich())
    quantized = hbir.convert(hbir.calibrate(module, [feed()]), "nash-e")
    hbir.save(quantized, tmp_path / "net.bc")
    hbir.compile(quantized, tmp_path / "net.hbm")
    (wanted,) = quantized.functions[0].feed(feed()).values()
    registry._ops.clear()  # pyright: ignore[reportPrivateUsage]  (another process)
    loaded, hbm = hbir.load(tmp_path / "net.bc"), Hbm(tmp_path / "net.hbm")
    message = r'custom op Swirl of domain \'my.ops\' is not registered here.*\["my_ops.py"\]'
    for function in (loaded.functions[0], hbm.graphs[0]):
        with pytest.raises(HbirError, match=message):
            function.feed(feed())
    hbir.custom.register_files([my_ops])
    for function in (loaded.functions[0], hbm.graphs[0]):
        np.testing.assert_array_equal(next(iter(function.feed(feed()).values())), wanted)


def test_files_of_older_toolchains_register_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "sample_custom.py").write_text(LEGACY)
    hbir.custom.register_files(["sample_custom.py"], tmp_path)
    blur = {"kernel_size": 3, "threshold": 0.5}
    for domain in ("custom", "horizon.custom"):
        made = export(model(node("Blur", ["x"], ["y"], domain, **blur), out=(1, 4, 1, 1)))
        (found,) = made.functions[0].feed(feed()).values()
        np.testing.assert_allclose(found, feed()["x"].mean((2, 3), keepdims=True) + 1.5, rtol=1e-6)


def test_pyop_names_its_class_and_shapes(tmp_path: Path) -> None:
    (tmp_path / "sample_custom.py").write_text(LEGACY)
    pyop = node(
        "PyOp", ["x"], ["y"], "horizon.custom", class_name="Blur", compute="compute",
        module="sample_custom", input_types=[1], output_types=[1], output_shape=["1,4,1,1"],
        kernel_size=3, threshold=0.5,
    )  # fmt: skip
    with pytest.raises(HbirError, match=r"custom op Blur is not registered.*sample_custom\.py"):
        export(model(pyop, out=(1, 4, 1, 1)))
    hbir.custom.register_files(["sample_custom.py"], tmp_path)
    (found,) = export(model(pyop, out=(1, 4, 1, 1))).functions[0].feed(feed()).values()
    np.testing.assert_allclose(found, feed()["x"].mean((2, 3), keepdims=True) + 1.5, rtol=1e-6)


def test_a_placement_says_that_it_is_a_custom_op(my_ops: Path) -> None:
    from hbir.ptq.placement import placements

    hbir.custom.register_files([my_ops])
    found = {p.node: p for p in placements(export(sandwich()), "nash-e")}
    assert found["Swirl_0"].unit == "CPU"
    assert found["Swirl_0"].reason == "Swirl is a custom op, a Python function of my_ops.py"
    assert "registered Python function" in found["Swirl_0"].cure
    assert found["conv1"].unit == found["conv2"].unit == "BPU"


# ------------------------------------------------------------------------------ mistakes


def test_an_unknown_node_says_how_to_make_it_known() -> None:
    with pytest.raises(HbirError, match=r"if it is your own, register its Python function first"):
        export(sandwich())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", r"my\.py: registers no op"),
        ("def f(:", r"my\.py: fails with SyntaxError"),
        ("1 / 0", r"my\.py: fails with ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", r"my\.py: fails with SystemExit: 3"),
    ],
)
def test_a_file_that_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(text)
    with pytest.raises(HbirError, match=message):
        hbir.custom.register_files([tmp_path / "my.py"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match=r"nothing\.py: no such Python file"):
        hbir.custom.register_files("nothing.py", tmp_path)


@pytest.mark.parametrize(
    ("body", "infer", "message"),
    [
        ("raise ValueError('no')", "None", "its computation fails with ValueError: no"),
        ("return x, x", "None", "gives 2 results, 1 expected"),
        ("return x.astype('complex64')", "None", "gives complex64, its shape inference told of"),
        ("return x[:, :1]", "None", r"result 0 is declared as float32\[1, 4, 8, 8\]"),
        ("return x", "lambda x: 1 / 0", "its shape inference fails with ZeroDivisionError"),
        ("return x", "lambda x: [3]", r"must return \(shape, dtype\) per result, got 3"),
    ],
)
def test_a_function_that_is_wrong_is_named(
    body: str, infer: str, message: str, tmp_path: Path
) -> None:
    text = f"from hbir.custom import register_op\n@register_op('Odd', 'my.ops', infer={infer})\n"
    (tmp_path / "odd.py").write_text(f"{text}def odd(x):\n    {body}\n")
    hbir.custom.register_files([tmp_path / "odd.py"])
    with pytest.raises(HbirError, match=message):
        export(model(node("Odd", ["x"], ["y"], "my.ops"))).functions[0].feed(feed())


def test_two_files_must_not_register_one_op(my_ops: Path, tmp_path: Path) -> None:
    hbir.custom.register_files([my_ops, my_ops])
    (tmp_path / "other.py").write_text(FILE)
    with pytest.raises(HbirError, match=r"Swirl is registered by my_ops\.py already"):
        hbir.custom.register_files([tmp_path / "other.py"])
