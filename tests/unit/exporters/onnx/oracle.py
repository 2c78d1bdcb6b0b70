"""Small functions of the IR, exported to ONNX and compared in onnxruntime with the interpreter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.move import TransposeOp
from hbir.exporters.onnx.exporter import export_module
from hbir.hb_runtime.onnx_runtime import make_session
from hbir.ir.context import make_context
from hbir.ir.function import finish_function, make_function
from hbir.ir.op import TensorOp
from hbir.ir.types import element_type, tensor
from hbir.module import Module

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-5
"""Of float32 results, relative to the largest magnitude."""


class Net:
    """A function being built; its inputs are arrays, which it is run on."""

    def __init__(self, *arrays: Array) -> None:
        self.context = make_context()
        self.arrays = arrays
        ports = [(f"x{i}", tensor(a.shape, element_type(a.dtype))) for i, a in enumerate(arrays)]
        self._function, self._block = make_function("net", ports)
        self.inputs: list[SSAValue] = list(self._block.args)

    def op(self, kind: type[TensorOp], *operands: SSAValue, **properties: Any) -> SSAValue:
        op = kind.make(*operands, **properties)
        self._block.add_op(op)
        return op.output

    def place(self, op: Operation) -> None:
        """Append an op made elsewhere."""
        self._block.add_op(op)

    def constant(self, array: Array) -> SSAValue:
        return self.op(ConstantOp, values=self.context.weights.attribute(array))

    def transposed(self, value: SSAValue, dims: Sequence[int]) -> SSAValue:
        return self.op(TransposeOp, value, dims=list(dims))

    def module(self, *outputs: SSAValue) -> Module:
        finish_function(self._function, [(f"y{i}", value) for i, value in enumerate(outputs)])
        module = Module(ModuleOp([self._function]), self.context)
        module.verify()
        return module

    def check(
        self, *outputs: SSAValue, steps: float | None = None, tolerance: float = TOLERANCE
    ) -> onnx.ModelProto:
        """Export, run both, compare; the model. steps: what one step of a result's grid is, for
        results that may be rounded to either side."""
        module = self.module(*outputs)
        model = export_module(module, quantized=steps is not None)
        compare(model, module, self.arrays, steps=steps, tolerance=tolerance)
        return model


def compare(
    model: onnx.ModelProto,
    module: Module,
    arrays: Sequence[Array],
    *,
    steps: float | None = None,
    tolerance: float = TOLERANCE,
) -> None:
    """The model in onnxruntime gives what the module gives in the interpreter."""
    checker: Any = onnx.checker
    checker.check_model(model, full_check=True)
    function = module.functions[0]
    feed = dict(zip((port.name for port in function.flatten_inputs), arrays, strict=True))
    wanted = function.feed(feed)
    session: Any = make_session(model.SerializeToString(), "test")
    got = session.run(None, feed)
    assert [port.name for port in session.get_outputs()] == list(wanted)
    for result, want in zip(got, wanted.values(), strict=True):
        assert (result.dtype, result.shape) == (want.dtype, want.shape)
        if want.dtype.kind != "f":
            np.testing.assert_array_equal(result, want)
            continue
        finite = np.isfinite(want)
        largest = float(np.abs(want[finite]).max(initial=0))
        bound = tolerance * max(largest, 1e-3) + (0 if steps is None else steps * 1.001)
        np.testing.assert_array_equal(result[~finite], want[~finite])
        assert float(np.abs(result - want)[finite].max(initial=0)) <= bound


def operators(model: onnx.ModelProto) -> list[str]:
    """The operator types of a model's nodes, in order."""
    return [node.op_type for node in model.graph.node]


def numbers(shape: Sequence[int], seed: int, scale: float = 1.0) -> Array:
    """Normal numbers."""
    drawn = np.random.default_rng(seed).standard_normal(tuple(shape)) * scale
    return np.asarray(drawn, np.float32)


seeds = st.integers(0, 1 << 16)
extents = st.integers(1, 5)


@st.composite
def shapes(draw: st.DrawFn, least: int = 0, most: int = 4) -> tuple[int, ...]:
    """A shape."""
    return tuple(draw(st.lists(extents, min_size=least, max_size=most)))


@st.composite
def orders(draw: st.DrawFn, rank: int) -> tuple[int, ...]:
    """A permutation of axes."""
    return tuple(draw(st.permutations(range(rank))))
