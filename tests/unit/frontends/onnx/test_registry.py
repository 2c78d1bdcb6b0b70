"""The table of operators against ONNX's own node tests, of every element type.

A case is a model of one operator, or of the operators that one is a function of ("expanded"). It
passes when the module gives the expected outputs, on the BPU or as a CPU op; what is refused or
computed otherwise must be listed here with its reason.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test import loader

from hbir.errors import HbirError
from hbir.frontends.onnx.registry import import_functions
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import cpu_operators

_loader: Any = loader
Array = np.ndarray[Any, Any]

REFUSED = {
    "has no tensor element type": "an element type that the IR doesn't have",
    "has no numeric element type": "texts",
    "unknown element type 8": "the same",
    "expected 9 to 28": "operators that haven't changed since an older opset",
    "random numbers differ": "what has no one answer",
    "control flow whose condition is computed": "loops",
    "op should be scalars": "functions of onnx that break onnx's own shape inference",
    "The model is a dynamically input model": "an extent of 0 means open",
    "split [0, 0, 0]": "the same: it becomes 1",
    "expected [1, 3, 4]": "the same",
    "12 elements can't take shape [3, 4, 0]": "the same",
}
"""What the message says: what such cases have in common."""

OTHERWISE = {
    "boolmask_fullymasked_row": "a row in which everything is masked is its mean, not 0",
    "causal_boolmask_nan_robustness": "the same",
}
"""Part of a name: why its outputs differ."""

SLOW = {"test_averagepool_3d_default", "test_maxpool_3d_default"}
"""Cases on which onnx's reference takes seconds."""

MOST_NODES = 24
"""Of a case: longer ones are attention in all its modes, whose single operator has cases enough."""

LEAST_ON_BPU, LEAST_ON_CPU = 690, 340
"""What passed when this was written; a change that loses cases fails."""

LEAST_IN_GROUP = 100
GROUPS = 6


@lru_cache(maxsize=1)
def cases() -> list[Any]:
    """The cases whose operators are imported and whose values are tensors, by name."""
    functions = import_functions()
    found = [
        case
        for case in _loader.load_model_tests(kind="node")
        if case.name not in SLOW
        and len(case.model.graph.node) <= MOST_NODES
        and any(node.op_type in functions for node in case.model.graph.node)
        and all(o.version <= onnx.defs.onnx_opset_version() for o in case.model.opset_import)
        and case.model.graph.input
        and all(is_tensor(value) for values in case.data_sets[0] for value in values)
    ]
    return sorted(found, key=lambda case: case.name)


def is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | onnx.TensorProto)


def array(value: Any) -> Array:
    return np.asarray(
        numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
    )


def outcomes(case: Any) -> Iterator[str]:
    """`bpu` or `cpu` with what says how (axes, bounds) as constants, and with parameters too.

    Raises HbirError when refused, AssertionError when the outputs differ.
    """
    inputs, outputs = case.data_sets[0]
    named = {p.name: array(v) for p, v in zip(case.model.graph.input, inputs, strict=True)}
    data = next(iter(named))
    says_how = {n for n, a in named.items() if a.dtype.kind in "iub" or a.ndim == 0} - {data}
    wanted = [array(output) for output in outputs]
    try:
        first = outcome(case, named, says_how, wanted)
    except HbirError:
        # Sizes may be floats (resize), or come first of all inputs (windows).
        first = ""
    if first == "bpu":
        yield first
        return
    constants = set(named) - ({data} if named[data].ndim else set())
    yield outcome(case, named, constants, wanted)


def outcome(case: Any, named: dict[str, Array], constants: set[str], wanted: list[Array]) -> str:
    """`bpu` or `cpu`, with some of the inputs as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for port in list(model.graph.input):
        if port.name in constants:
            model.graph.initializer.append(numpy_helper.from_array(named[port.name], port.name))
            model.graph.input.remove(port)
    module = export(model)
    feeds = {name: value for name, value in named.items() if name not in constants}
    results = module.functions[0].feed(feeds)
    for got, want in zip(results.values(), wanted, strict=True):
        assert got.dtype == want.dtype
        tolerances = max(case.rtol, 1e-4), max(case.atol, 1e-5)
        np.testing.assert_allclose(got, want, *tolerances)
    return "cpu" if cpu_operators(module) else "bpu"


@lru_cache(maxsize=GROUPS)
def run(group: int) -> tuple[Counter[str], tuple[str, ...]]:
    """How often each outcome came in every GROUPS-th case, and what went wrong."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for case in cases()[group::GROUPS]:
        try:
            counts.update(outcomes(case))
        except HbirError as error:
            counts["refused"] += 1
            if not any(part in str(error) for part in REFUSED):
                failures.append(f"{case.name}: {error}")
        except AssertionError as error:
            counts["otherwise"] += 1
            if not any(part in case.name for part in OTHERWISE):
                failures.append(f"{case.name}: {error}")
    return counts, tuple(failures)


@pytest.mark.parametrize("group", range(GROUPS))
def test_node_cases(group: int, record_property: Any) -> None:
    counts, failures = run(group)
    record_property("node cases", dict(counts))
    assert not failures, "\n".join(failures)
    assert sum(counts.values()) >= LEAST_IN_GROUP


def test_the_cases_that_pass_stay_as_many() -> None:
    counts = sum((run(group)[0] for group in range(GROUPS)), Counter[str]())
    assert counts["bpu"] >= LEAST_ON_BPU, counts
    assert counts["cpu"] >= LEAST_ON_CPU, counts
