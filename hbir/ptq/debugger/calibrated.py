"""A calibrated network whose roundings can be switched on and off: what all tools run.

A rounding is a fake-quant or a cast to float16, of an activation or of the weights of a layer. A
node of the source model is rounded when the tensors that it reads are; a network with no rounding
is the float one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.cast import FakeCastOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, return_of
from hbir.ir.origin import name_of, nodes_of, origin_of
from hbir.ir.types import Array
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.passes.dtypes import FLOAT16_NAME
from hbir.passes.fake_quant import FakeQuantOp, is_fake_quant, quantization_of
from hbir.ptq.debugger.calibrated_onnx import FLOAT16_NODE, JOINED, read_calibrated
from hbir.ptq.display import Display, Silent
from hbir.ptq.stages import calibrated_float
from hbir.runtime.interpreter import Plan, Values

WEIGHT, ACTIVATION = "weight", "activation"

MARKERS = {ConstFakeQuantOp: "_HzCalibration", FakeCastOp: FLOAT16_NODE}
"""What a rounding's node is called in `_calibrated_model.onnx`, after its tensor."""

NODES_LISTED = 8
"""How many nodes a message names."""

_MOVES = ("hbir.transpose", "hbir.reshape")

ModelOrFile = Module | str | os.PathLike[str] | Any
"""A module at the qat level, the path of a `.bc`, `.mlir` or `.onnx`, or an onnx.ModelProto."""


@dataclass(frozen=True)
class Rounding:
    """One fake-quant or cast. step: of the plan; name: the tensor's; node: the calibration node's,
    as `_calibrated_model.onnx` calls it; readers: source nodes.

    fused: all names of the readers, which are known by the last node that was fused into them.
    dtype: int8, int16 or float16. scale: of its integers, None where each channel has one, and for
    float16. limits: the least and greatest numbers that it leaves, over all channels.
    """

    step: int
    kind: str
    name: str
    node: str
    readers: tuple[str, ...]
    fused: tuple[str, ...]
    dtype: str
    scale: float | None = None
    limits: tuple[float, float] | None = None
    axis: int | None = None
    """The axis of the channels that have ranges of their own."""
    perm: tuple[int, ...] = ()
    """Axis i of the array is axis perm[i] of the user's tensor; () where they are the same."""


class CalibratedModel:
    """A function of a qat module, as a plan with a switch at each rounding."""

    def __init__(self, module: Module) -> None:
        if module.level != "qat":
            raise HbirError(
                f"the debugger takes a calibrated model (level qat), this one is {module.level};"
                " hb_compile writes one as _calibrated_model.onnx, hbir.save(hbir.calibrate(...))"
                " as .bc"
            )
        prepared = calibrated_float(module)
        self.function = prepared.functions[0]
        self.plan = Plan(self.function.op, prepared.weights)
        steps = {op: number for number, op in enumerate(self.plan.ops)}
        self.roundings = tuple(_roundings(self.plan.ops, steps))
        self._by_step = {rounding.step: rounding for rounding in self.roundings}
        self.results, self._called = self._results()
        self.nodes = self._nodes()
        self.output_slots = self._slots(return_of(self.function.op).operands, steps)
        self._last_use = self._last_uses()

    # What there is

    def _results(self) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
        """Source node → the step and slot of its last result; and other names → the node's."""
        found: dict[str, tuple[int, int]] = {}
        called: dict[str, str] = {}
        for number, op in enumerate(self.plan.ops):
            nodes = nodes_of(op)
            if is_fake_quant(op) or not nodes or not op.results:
                continue
            name = nodes[-1].name
            if op.name not in _MOVES or name not in found:
                found[name] = (number, self.plan.slots(number)[1][0])
            called.update(dict.fromkeys(_names_of(op), name))
        return found, {other: name for other, name in called.items() if other not in found}

    def _nodes(self) -> dict[str, tuple[int, ...]]:
        """Source node that reads rounded tensors → the steps of these roundings, in order."""
        found: dict[str, list[int]] = {}
        for rounding in self.roundings:
            for node in rounding.readers:
                found.setdefault(node, []).append(rounding.step)
        order = {name: at for at, name in enumerate(self.results)}
        names = sorted(found, key=lambda name: order.get(name, len(order)))
        return {name: tuple(found[name]) for name in names}

    def of_kind(self, kind: str) -> dict[str, tuple[int, ...]]:
        """Calibration node of weights or of activations → the step of its rounding."""
        return {
            rounding.node: (rounding.step,) for rounding in self.roundings if rounding.kind == kind
        }

    def chosen(self, names: str | Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Nodes, calibration nodes or tensors by name, "weight", "activation" → their steps.

        Where a tensor is called as a node is, as PyTorch does, the name is the node's.
        Raises HbirError for a name that is nothing of the model, and where none is given.
        """
        known = self._named_roundings()
        given = [names] if isinstance(names, str) else list(names)
        if not given:
            raise HbirError("no node is named; name nodes, weights or tensors of the model")
        found = {name: self._look_up(name, known) for name in given}
        for name, steps in found.items():
            if not steps:
                raise HbirError(f"the model has no quantized {name}")
        return found

    def each_chosen(self, names: str | Iterable[str]) -> dict[str, tuple[int, ...]]:
        """`chosen`, with "weight" and "activation" as each of theirs by itself: a picture each."""
        found: dict[str, tuple[int, ...]] = {}
        for name, steps in self.chosen(names).items():
            found.update(self.of_kind(name) if name in (WEIGHT, ACTIVATION) else {name: steps})
        return found

    def _named_roundings(self) -> dict[str, tuple[int, ...]]:
        known: dict[str, tuple[int, ...]] = {}
        for rounding in self.roundings:
            for name in rounding.fused:
                known[name] = (*known.get(name, ()), rounding.step)
        known.update(self.nodes)
        for kind in (WEIGHT, ACTIVATION):
            members = self.of_kind(kind)
            known[kind] = tuple(step for steps in members.values() for step in steps)
            known.update(members)
        tensors: dict[str, tuple[int, ...]] = {}
        for rounding in self.roundings:
            tensors[rounding.name] = (*tensors.get(rounding.name, ()), rounding.step)
        return {**tensors, **known}

    def _look_up(self, name: str, known: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        if name in known:
            return known[name]
        raise HbirError(
            f"the model has no quantized node, weight or tensor {name!r}"
            f"{_hint(name, known, self.nodes)}"
        )

    def rounding(self, step: int) -> Rounding:
        """The rounding of a step."""
        return self._by_step[step]

    def output_of(self, node: str) -> tuple[int, int]:
        """Step and slot of a source node's result. Raises HbirError for an unknown name."""
        place = self.results.get(self._called.get(node, node))
        if place is not None:
            return place
        hint = _hint(node, [*self.results, *self._called], self.results)
        raise HbirError(f"output_node: the model computes no node {node!r}{hint}")

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

        wider: those of them that have 16 bits; a float16 has them anyway.
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
        is_wide = number in wider and rounding is not None and rounding.dtype != FLOAT16_NAME
        if rounding is None or (number in active and not is_wide):
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


def _hint(name: str, known: Iterable[str], nodes: Iterable[str]) -> str:
    """What may have been meant, or the first nodes that there are."""
    close = difflib.get_close_matches(name, list(known), n=3)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    listed = list(nodes)
    more = ", ..." if len(listed) > NODES_LISTED else ""
    return f"; its nodes are {', '.join(listed[:NODES_LISTED])}{more}"


def _present(values: Values, slots: Iterable[int]) -> dict[int, Array]:
    pairs = ((slot, values[slot]) for slot in slots)
    return {slot: array for slot, array in pairs if array is not None}


def _params(op: Operation) -> dict[str, Any]:
    assert isinstance(op, ConstFakeQuantOp)
    return op.params()


def _roundings(ops: Sequence[Operation], steps: Mapping[Operation, int]) -> Iterator[Rounding]:
    taken: dict[str, int] = {}
    for op in ops:
        if not isinstance(op, FakeQuantOp) or op.output.first_use is None:
            continue
        tensor = name_of(op.results[0]) or f"tensor_{steps[op]}"
        node = tensor + MARKERS[type(op)]
        count = taken[node] = taken.get(node, 0) + 1
        readers = list(_readers(op.results[0]))
        origin = origin_of(op.results[0])
        yield Rounding(
            steps[op],
            WEIGHT if isinstance(op.operands[0].owner, ConstantOp) else ACTIVATION,
            tensor,
            node if count == 1 else f"{node}_{count}",
            tuple(dict.fromkeys(nodes_of(reader)[-1].name for reader in readers)),
            tuple(dict.fromkeys(name for reader in readers for name in _names_of(reader))),
            **_form(op),
            perm=origin.perm if origin is not None else (),
        )


def _form(op: FakeQuantOp) -> dict[str, Any]:
    """What a rounding's numbers are."""
    if isinstance(op, FakeCastOp):
        return {"dtype": FLOAT16_NAME}
    params, quantization = op.params(), quantization_of(op)
    return {
        "dtype": f"int{params['bits']}",
        "scale": None if quantization is None else quantization.scale,
        "limits": (min(params["min"]), max(params["max"])),
        "axis": params.get("axis"),
    }


def _names_of(op: Operation) -> Iterator[str]:
    """What the nodes that became an op go by, all of them together too."""
    names = [node.name for node in nodes_of(op)]
    yield from names
    if len(names) > 1:
        yield JOINED.join(names)


def _readers(value: SSAValue) -> Iterator[Operation]:
    """The ops with source nodes that read a value, through moves and roundings of it."""
    for use in value.uses:
        reader = use.operation
        if nodes_of(reader) and not is_fake_quant(reader):
            yield reader
        elif reader.name in _MOVES or is_fake_quant(reader):
            yield from _readers(reader.results[0])


def load_calibrated(model_or_file: ModelOrFile, display: Display | None = None) -> CalibratedModel:
    """The model with its switches. Raises HbirError for a file without a calibrated model."""
    if isinstance(model_or_file, CalibratedModel):
        return model_or_file
    with (display if display is not None else Silent()).stage("read model"):
        return _loaded(model_or_file)


def _loaded(model_or_file: ModelOrFile) -> CalibratedModel:
    if isinstance(model_or_file, Module):
        return CalibratedModel(model_or_file)
    if not isinstance(model_or_file, str | os.PathLike):
        return CalibratedModel(read_calibrated(model_or_file))
    path = Path(os.fspath(model_or_file))
    try:
        return CalibratedModel(_read(path))
    except HbirError as error:
        text = str(error)
        raise HbirError(text if str(path) in text else f"{path}: {text}") from error


def _read(path: Path) -> Module:
    if path.suffix in (".bc", ".mlir"):
        from hbir.api import load

        return load(path)
    if path.suffix == ".onnx":
        return read_calibrated(path)
    raise HbirError("expected a .bc or .mlir of a calibrated module, or a _calibrated_model.onnx")
