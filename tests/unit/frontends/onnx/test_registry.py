"""The table of operators against ONNX's own node tests: every single-node float32 case of it.

Inputs that say how (axes, bounds, parameters) are constants, as in deployed models. A case passes
when the module gives the expected outputs, on the BPU or as a CPU op; what is refused must be
listed here with its reason.
"""

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test import loader

from hbir.errors import HbirError
from hbir.frontends.onnx.registry import import_functions
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import cpu_operators

_loader: Any = loader

COMPUTED_OPERANDS = {"Add", "Sub", "Mul", "Div", "Sum", "Max", "Min", "Concat", "MatMul"}
"""Operators whose every operand is an input of the model."""

REFUSED = {
    "has no tensor element type": "an element type that the IR doesn't have",
    "split [0, 0, 0]": "an extent of 0 means open, and becomes 1",
    "expected [1, 3, 4]": "the same",
}

LEAST_ON_BPU, LEAST_ON_CPU = 230, 50
"""What passed when this was written; a change that loses cases fails."""


@lru_cache(maxsize=1)
def cases() -> list[Any]:
    """The cases, by name."""
    functions = import_functions()
    found = [
        case
        for case in _loader.load_model_tests(kind="node")
        if len(case.model.graph.node) == 1
        and case.model.graph.node[0].op_type in functions
        and not case.model.graph.node[0].domain
        and all(o.version <= onnx.defs.onnx_opset_version() for o in case.model.opset_import)
        and case.model.graph.input
        and case.model.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    ]
    return sorted(found, key=lambda case: case.name)


def array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def outcome(case: Any) -> str:
    """`bpu` or `cpu`; raises HbirError when refused, AssertionError when the outputs differ."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs, outputs = case.data_sets[0]
    free = model.graph.node[0].op_type in COMPUTED_OPERANDS
    feeds: dict[str, Any] = {}
    for index, (port, value) in enumerate(zip(case.model.graph.input, inputs, strict=True)):
        if index == 0 or free:
            feeds[port.name] = array(value)
        elif isinstance(value, onnx.TensorProto):
            model.graph.initializer.append(value)
            model.graph.initializer[-1].name = port.name
        else:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), port.name))
    module = export(model)
    results = module.functions[0].feed(feeds)
    for got, wanted in zip(results.values(), map(array, outputs), strict=True):
        assert got.dtype == np.asarray(wanted).dtype
        np.testing.assert_allclose(
            got, wanted, rtol=max(case.rtol, 1e-4), atol=max(case.atol, 1e-5)
        )
    return "cpu" if cpu_operators(module) else "bpu"


def test_node_cases(record_property: Any) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for case in cases():
        try:
            counts[outcome(case)] += 1
        except HbirError as error:
            known = [key for key in REFUSED if key in str(error)]
            counts["refused"] += 1
            if not known:
                failures.append(f"{case.name}: {error}")
        except AssertionError as error:
            failures.append(f"{case.name}: {error}")
    record_property("node cases", dict(counts))
    assert not failures, "\n".join(failures)
    assert counts["bpu"] >= LEAST_ON_BPU, counts
    assert counts["cpu"] >= LEAST_ON_CPU, counts
