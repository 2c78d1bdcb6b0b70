"""A calibrated network whose roundings can be switched on and off: what all tools run.

A rounding is a fake-quant: of an activation, or of the weights of a layer. A node of the source
model is rounded when the tensors that it reads are; a network with no rounding is the float one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, return_of
from hbir.ir.origin import name_of, origin_of_op
from hbir.ir.types import Array, shape_of
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.ptq.stages import calibrated_float
from hbir.runtime.interpreter import Plan, Values

FAKE_QUANT = "qnt.const_fake_quant"
CONSTANT = "hbir.constant"
WEIGHT, ACTIVATION = "weight", "activation"
MARKER = "_HzCalibration"
"""What a fake-quant's node is called in `_calibrated_model.onnx`, after its tensor."""

_WRITTEN = "_calibrated"
"""What that file calls the tensor behind it."""

_MOVES = ("hbir.transpose", "hbir.reshape")

ModelOrFile = Module | str | os.PathLike[str] | Any
"""A module at the qat level, the path of a `.bc`, `.mlir` or `.onnx`, or an onnx.ModelProto."""


@dataclass(frozen=True)
class Rounding:
    """One fake-quant. step: of the plan; name: the tensor's; readers: source nodes.

    fused: all names of the readers, which are known by the last node that was fused into them.
    """

    step: int
    kind: str
    name: str
    readers: tuple[str, ...]
    fused: tuple[str, ...]
    axis: int | None
    """The axis of the channels that have ranges of their own."""


class CalibratedModel:
    """A function of a qat module, as a plan with a switch at each rounding."""

    def __init__(self, module: Module) -> None:
        if module.level != "qat":
            raise HbirError(
                f"the debugger takes a calibrated model (level qat), this one is {module.level}"
            )
        prepared = calibrated_float(module)
        self.function = prepared.functions[0]
        self.plan = Plan(self.function.op, prepared.weights)
        steps = {op: number for number, op in enumerate(self.plan.ops)}
        self.roundings = tuple(_roundings(self.plan.ops, steps))
        self._by_step = {rounding.step: rounding for rounding in self.roundings}
        self.nodes = self._nodes()
        self.output_slots = self._slots(return_of(self.function.op).operands, steps)
        self._last_use = self._last_uses()

    # What there is

    def _nodes(self) -> dict[str, tuple[int, ...]]:
        """Source node that reads rounded tensors → the steps of these roundings, in order."""
        found: dict[str, list[int]] = {}
        for rounding in self.roundings:
            for node in rounding.readers:
                found.setdefault(node, []).append(rounding.step)
        order = {name: at for at, name in enumerate(self.results)}
        names = sorted(found, key=lambda name: order.get(name, len(order)))
        return {name: tuple(found[name]) for name in names}

    @property
    def results(self) -> dict[str, tuple[int, int]]:
        """Source node → the step and slot of its last result."""
        found: dict[str, tuple[int, int]] = {}
        for number, op in enumerate(self.plan.ops):
            origin = origin_of_op(op)
            if op.name == FAKE_QUANT or origin is None or not op.results:
                continue
            for node in origin.nodes:
                if op.name not in _MOVES or node.name not in found:
                    found[node.name] = (number, self.plan.slots(number)[1][0])
        return found

    def of_kind(self, kind: str) -> dict[str, tuple[int, ...]]:
        """Calibration node of weights or of activations → the step of its rounding."""
        return {
            rounding.name + MARKER: (rounding.step,)
            for rounding in self.roundings
            if rounding.kind == kind
        }

    def chosen(self, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Nodes, calibration nodes or tensors by name, "weight", "activation" → their steps.

        Raises HbirError for a name that is nothing of the model.
        """
        known = self._named_roundings()
        return {name: self._look_up(name, known) for name in names}

    def _named_roundings(self) -> dict[str, tuple[int, ...]]:
        fused: dict[str, tuple[int, ...]] = {}
        for rounding in self.roundings:
            for name in rounding.fused:
                fused[name] = (*fused.get(name, ()), rounding.step)
        known = {**fused, **self.nodes}
        for kind in (WEIGHT, ACTIVATION):
            named = self.of_kind(kind)
            known[kind] = tuple(step for steps in named.values() for step in steps)
            known.update(named)
            known.update({name.removesuffix(MARKER): steps for name, steps in named.items()})
        return known

    @staticmethod
    def _look_up(name: str, known: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        if name in known:
            return known[name]
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise HbirError(f"the model has no quantized node, weight or tensor {name!r}{hint}")

    def rounding(self, step: int) -> Rounding:
        """The rounding of a step."""
        return self._by_step[step]

    def output_of(self, node: str) -> tuple[int, int]:
        """Step and slot of a source node's result. Raises HbirError for an unknown name."""
        results = self.results
        if node not in results:
            self._look_up(node, dict.fromkeys(results, ()))
        return results[node]

    # Running it

    def run(
        self,
        inputs: Sequence[Array],
        active: Container[int],
        wanted: Iterable[int],
        *,
        wider: Container[int] = (),
    ) -> dict[int, Array]:
        """The arrays of the `wanted` slots in a run with the roundings of the `active` steps.

        wider: those of them that have 16 bits.
        """
        return self.resume(self.plan.start(inputs), 0, active, wanted, wider=wider)

    def resume(
        self,
        before: Values,
        first: int,
        active: Container[int],
        wanted: Iterable[int],
        *,
        wider: Container[int] = (),
    ) -> dict[int, Array]:
        """`run` from the values before step `first` on; they aren't changed."""
        values = list(before)
        slots = set(wanted)
        found = _present(values, slots)
        for number in range(first, len(self.plan.ops)):
            self.advance(values, number, active, wider)
            found.update(_present(values, slots.intersection(self.plan.slots(number)[1])))
            if len(found) == len(slots):
                break
        return found

    def advance(
        self, values: Values, number: int, active: Container[int], wider: Container[int] = ()
    ) -> None:
        """One step; a rounding that isn't active hands on what it reads."""
        rounding = self._by_step.get(number)
        if rounding is None or (number in active and number not in wider):
            self.plan.advance(values, number)
            return
        (source,), (result,) = self.plan.slots(number)
        array = values[source]
        if number in active and array is not None:
            params: dict[str, Any] = {**_params(self.plan.ops[number]), "bits": 16}
            array = const_fake_quant(array, **params)
        values[result] = array
        if self._last_use.get(source) == number:
            values[source] = None

    def _last_uses(self) -> dict[int, int]:
        """Slot that dies → the last step that reads it."""
        last: dict[int, int] = {}
        for number in range(len(self.plan.ops)):
            last.update(dict.fromkeys(self.plan.slots(number)[0], number))
        for slot in self.output_slots:
            last.pop(slot, None)
        return last

    def _slots(self, values: Iterable[SSAValue], steps: Mapping[Operation, int]) -> tuple[int, ...]:
        """The slots of values that inputs or steps give."""
        arguments = list(body_of(self.function.op).args)
        found: list[int] = []
        for value in values:
            owner = value.owner
            if isinstance(owner, Operation) and owner in steps:
                index = list(owner.results).index(value)  # pyright: ignore[reportArgumentType] - a result of its owner
                found.append(self.plan.slots(steps[owner])[1][index])
            elif value in arguments:
                found.append(arguments.index(value))  # pyright: ignore[reportArgumentType] - it is in the list
        return tuple(found)


def _present(values: Values, slots: Iterable[int]) -> dict[int, Array]:
    pairs = ((slot, values[slot]) for slot in slots)
    return {slot: array for slot, array in pairs if array is not None}


def _params(op: Operation) -> dict[str, Any]:
    assert isinstance(op, ConstFakeQuantOp)
    return op.params()


def _roundings(ops: Sequence[Operation], steps: Mapping[Operation, int]) -> Iterable[Rounding]:
    taken: dict[str, int] = {}
    for op in ops:
        if op.name != FAKE_QUANT:
            continue
        source = op.operands[0].owner
        is_weight = isinstance(source, Operation) and source.name == CONSTANT
        base = (name_of(op.results[0]) or f"tensor_{steps[op]}").removesuffix(_WRITTEN)
        count = taken[base] = taken.get(base, 0) + 1
        yield Rounding(
            steps[op],
            WEIGHT if is_weight else ACTIVATION,
            base if count == 1 else f"{base}_{count}",
            tuple(dict.fromkeys(names[-1] for names in _readers(op.results[0]))),
            tuple(dict.fromkeys(name for names in _readers(op.results[0]) for name in names)),
            _params(op).get("axis"),
        )


def _readers(value: SSAValue) -> Iterable[tuple[str, ...]]:
    """The source nodes of each op that reads a value, through moves of it."""
    for use in value.uses:
        origin = origin_of_op(use.operation)
        nodes = origin.nodes if origin is not None else ()
        if use.operation.name in _MOVES and not nodes:
            yield from _readers(use.operation.results[0])
        elif use.operation.name != FAKE_QUANT and nodes:
            yield tuple(node.name for node in nodes)


def load_calibrated(model_or_file: ModelOrFile) -> CalibratedModel:
    """The model with its switches. Raises HbirError for a file without a calibrated model."""
    if isinstance(model_or_file, CalibratedModel):
        return model_or_file
    if isinstance(model_or_file, Module):
        return CalibratedModel(model_or_file)
    if isinstance(model_or_file, str | os.PathLike):
        path = Path(os.fspath(model_or_file))
        if path.suffix in (".bc", ".mlir"):
            from hbir.api import load

            module = load(path)
        else:
            module = _from_onnx(path)
        try:
            return CalibratedModel(module)
        except HbirError as error:
            raise HbirError(f"{path}: {error}") from error
    return CalibratedModel(_from_onnx(model_or_file))


def _from_onnx(source: Any) -> Module:
    """The module of a calibrated ONNX model, weights as they were before rounding.

    The frontend rounds constants that a QuantizeLinear reads; that is what is to be switched.
    """
    from hbir.frontends.onnx.proto import load_model, tensor_array
    from hbir.onnx import export

    proto, label = load_model(source)
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    integers = {
        node.output[0]: constants[node.input[0]]
        for node in proto.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] in constants
    }
    weights = {
        node.output[0]: tensor_array(integers[node.input[0]], label)
        for node in proto.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in integers
    }
    module = export(source)
    for op in module.functions[0].operations:
        origin = origin_of_op(op)
        constant = op.operands[0].owner if op.name == FAKE_QUANT else None
        if not isinstance(constant, ConstantOp) or origin is None or origin.tensor not in weights:
            continue
        array = weights[origin.tensor]
        if len(origin.perm) == array.ndim:
            array = array.transpose(origin.perm)
        if array.shape == shape_of(constant.output):
            constant.properties["values"] = module.weights.attribute(array)
    return module
