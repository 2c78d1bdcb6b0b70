"""The unit of every node, as conversion of a calibrated network decides it too."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from hbir import Module, calibrate, convert
from hbir.errors import HbirError
from hbir.onnx import export
from hbir.passes.constraints import constraints_by_op, cure_of, rule_of
from hbir.passes.constraints.float16 import FLOAT16_CONSTRAINTS
from hbir.ptq.cures import OTHERWISE, cure_for
from hbir.ptq.placement import Placement, placements

Helper: Any = helper


def network(nodes: list[Any], out: tuple[int, ...], channels: int = 4, **constants: Any) -> Module:
    model = Helper.make_model(
        Helper.make_graph(
            nodes,
            "net",
            [Helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, 8, 8])],
            [Helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
            [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
        ),
        opset_imports=[Helper.make_opsetid("", 19)],
    )
    return export(model)


def node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    return Helper.make_node(
        kind, inputs.split(), output.split(), name=f"{kind}_{output[0]}", **attributes
    )


def classifier() -> Module:
    """Conv, Relu (fused), LRN (no BPU form), an identity, a pool, Conv."""
    return network(
        [
            node("Conv", "x w", "a", pads=[1, 1, 1, 1]),
            node("Relu", "a", "b"),
            node("LRN", "b", "c", size=3),
            node("Identity", "c", "d"),
            node("MaxPool", "d", "e", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", "e v", "y"),
        ],
        (1, 4, 4, 4),
        v=np.ones((4, 4, 1, 1), np.float32),
        w=np.random.default_rng(0).normal(size=(4, 4, 3, 3)).astype(np.float32),
    )


def by_name(found: list[Placement]) -> dict[str, Placement]:
    return {placement.node: placement for placement in found}


def test_nodes_in_the_models_order_with_unit_reason_and_cure() -> None:
    found = placements(classifier(), "nash-e")
    assert [p.node for p in found] == ["Conv_a", "Relu_b", "LRN_c", "MaxPool_e", "Conv_y"]
    assert [p.op_type for p in found] == ["Conv", "Relu", "LRN", "MaxPool", "Conv"]
    assert [p.unit for p in found] == ["BPU", "BPU", "CPU", "BPU", "BPU"]
    lrn = by_name(found)["LRN_c"]
    assert lrn.reason == "LRN has no BPU form"
    assert "supported-operators.md" in lrn.cure
    assert not any(p.reason or p.cure for p in found if p.unit == "BPU")


def test_conversion_of_the_calibrated_network_says_the_same() -> None:
    module = classifier()
    feed = {"x": np.random.default_rng(1).normal(size=(1, 4, 8, 8)).astype(np.float32)}
    calibrated = calibrate(module, [feed])
    quantized = convert(calibrated, "nash-e")
    expected = {p.node: (p.unit, p.reason) for p in placements(module, "nash-e")}
    for later in (calibrated, quantized):
        found = placements(later, "nash-e")
        assert {p.node: (p.unit, p.reason) for p in found} == expected


def test_a_march_without_an_engine_says_so() -> None:
    module = network(
        [node("TopK", "x k", "a i", axis=1), node("Conv", "a w", "y")],
        (1, 4, 8, 8),
        k=np.asarray([2], np.int64),
        w=np.ones((4, 2, 1, 1), np.float32),
    )
    there, _ = placements(module, "nash-e")
    not_there, _ = placements(module, "nash-b")
    assert there.unit == "BPU"
    assert not_there.unit == "BPU+CPU"  # which are the best, and the values at these places
    assert "nash-b has no SPU" in not_there.reason
    assert "march that has the engine" in not_there.cure


def test_a_broken_constraint_brings_its_own_cure() -> None:
    module = network([node("Pow", "x x", "y")], (1, 4, 8, 8))
    (power,) = placements(module, "nash-e")
    assert power.unit == "CPU"
    assert power.reason.startswith("A power is a table")
    assert "exp(y · log(x))" in power.cure


def test_nodes_without_effect_have_no_unit() -> None:
    half = np.full((1, 4, 1, 1), 0.5, np.float32)
    weights = np.ones((4, 4, 1, 1), np.float32)
    module = network(
        [node("Conv", "x w", "a"), node("Transpose", "a", "b", perm=[0, 2, 3, 1]),
         node("Transpose", "b", "c", perm=[0, 3, 1, 2]), node("Mul", "c half", "y")],
        (1, 4, 8, 8), w=weights, half=half,
    )  # fmt: skip
    units = {p.node: p.unit for p in placements(module, "nash-e")}
    assert units["Conv_a"] == "BPU"
    assert units.get("Transpose_b", "--") == "--"


def test_every_constraint_has_a_cure() -> None:
    for op, constraints in constraints_by_op().items():
        for constraint in constraints:
            assert len(cure_of(constraint).split()) > 3, f"{constraint.__name__} of {op.name}"
    for op, constraint in FLOAT16_CONSTRAINTS.items():
        assert cure_of(constraint).startswith("Use int"), op.name
        assert cure_for(f"{rule_of(constraint)}; operand 0 is float16") == cure_of(constraint)


def test_reasons_that_nothing_knows_get_a_general_cure() -> None:
    assert cure_for("") == ""
    assert cure_for("the moon is full") == OTHERWISE


def test_other_levels_and_marches_are_refused() -> None:
    module = classifier()
    feed = {"x": np.ones((1, 4, 8, 8), np.float32)}
    quantized = convert(calibrate(module, [feed]), "nash-e")
    with pytest.raises(HbirError, match="converted for nash-e, not for nash-m"):
        placements(quantized, "nash-m")
    with pytest.raises(HbirError, match="march 'nash-x' is unknown"):
        placements(module, "nash-x")
