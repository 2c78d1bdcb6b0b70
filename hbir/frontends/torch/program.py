"""From an nn.Module or an ExportedProgram to a functional ATen graph, with its ports named.

Operators that hbir imports stay whole (layer_norm, gelu, scaled_dot_product_attention, lstm, ...);
torch decomposes the others, as far as it can.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind, TensorArgument

from hbir.errors import HbirError
from hbir.frontends.torch.ports import given_names, input_names, output_names

_CONSTANTS = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)


@dataclass(frozen=True)
class Program:
    """A functional graph of ATen operators.

    constants: placeholder → (name in the module, tensor). inputs, outputs: (name, node), tensors
    only.
    """

    label: str
    nodes: list[fx.Node]
    constants: dict[fx.Node, tuple[str, torch.Tensor]]
    inputs: list[tuple[str, fx.Node]]
    outputs: list[tuple[str, fx.Node]]


def exported_program(source: Any, example_inputs: Any) -> tuple[str, ExportedProgram]:
    """A label for messages, and the program: `source` itself, or that of a module run on
    `example_inputs` (a tensor, a tuple of positional arguments, or a dict of keyword arguments).

    Raises HbirError for anything else, and when torch.export fails.
    """
    if isinstance(source, ExportedProgram):
        return "exported program", source
    if not isinstance(source, nn.Module):
        raise HbirError(
            f"expected a torch.nn.Module or torch.export.ExportedProgram, got"
            f" {type(source).__name__}"
        )
    label = type(source).__name__
    args, kwargs = _arguments(example_inputs, label)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch's, about its own internals
            return label, torch.export.export(source, args, kwargs, strict=False)
    except Exception as error:  # whatever the module's code or torch raises
        raise HbirError(f"{label}: torch.export fails: {_first_line(error)}") from error


def _arguments(example_inputs: Any, label: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    match example_inputs:
        case torch.Tensor():
            return (example_inputs,), {}
        case tuple() | list():
            return tuple(cast("Sequence[Any]", example_inputs)), {}
        case Mapping():
            return (), dict(cast("Mapping[str, Any]", example_inputs))
        case _:
            raise HbirError(
                f"{label}: example_inputs must be a tensor, a tuple of arguments or a dict of"
                f" keyword arguments, got {type(example_inputs).__name__}"
            )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def decomposed(program: ExportedProgram, whole: Collection[str], label: str) -> ExportedProgram:
    """The functional form of a program, with every operator decomposed that torch can decompose
    and that is not among `whole` (overloads without namespace)."""
    default: Any = torch.export.default_decompositions  # its own types are incomplete
    run = cast(Any, program).run_decompositions
    table = {
        operator: rule
        for operator, rule in default().items()
        if str(operator).removeprefix("aten.") not in whole
    }
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return run(table)
    except Exception as error:  # a decomposition raises whatever it meets
        raise HbirError(f"{label}: torch can't decompose it: {_first_line(error)}") from error


def read_program(program: ExportedProgram, label: str, names: tuple[Any, Any]) -> Program:
    """The graph and its ports. names: those given for inputs and outputs, or None.

    Raises HbirError for open shapes, state that is written, and control flow.
    """
    nodes = list(program.graph.nodes)
    placeholders = {node.name: node for node in nodes if node.op == "placeholder"}
    constants = _constants(program, placeholders)
    arguments = [
        spec.arg
        for spec in program.graph_signature.input_specs
        if spec.kind == InputKind.USER_INPUT
    ]
    default = input_names(program, [argument.name for argument in arguments])
    inputs = [
        (name, placeholders[argument.name])
        for name, argument in zip(default, arguments, strict=True)
        if isinstance(argument, TensorArgument)
    ]
    for name, node in inputs:
        _check_input(node, name, label)
    outputs = _outputs(program, {node.name: node for node in nodes}, label)
    return Program(
        label,
        [node for node in nodes if node.op not in ("placeholder", "output")],
        constants,
        _renamed(inputs, names[0], "inputs", label, "input_names"),
        _renamed(outputs, names[1], "outputs", label, "output_names"),
    )


def _renamed(
    ports: Sequence[tuple[str, fx.Node]], names: Any, what: str, label: str, option: str
) -> list[tuple[str, fx.Node]]:
    chosen = given_names(names, [name for name, _ in ports], what, label, option)
    return [(name, node) for name, (_, node) in zip(chosen, ports, strict=True)]


def _constants(
    program: ExportedProgram, placeholders: Mapping[str, fx.Node]
) -> dict[fx.Node, tuple[str, torch.Tensor]]:
    found: dict[fx.Node, tuple[str, torch.Tensor]] = {}
    for spec in program.graph_signature.input_specs:
        if spec.kind not in _CONSTANTS or spec.target is None:
            continue
        tensor = program.state_dict.get(spec.target, program.constants.get(spec.target))
        if isinstance(tensor, torch.Tensor):
            found[placeholders[spec.arg.name]] = (spec.target, tensor)
    return found


def _check_input(node: fx.Node, name: str, label: str) -> None:
    value = node.meta["val"]
    open_axes = [axis for axis, size in enumerate(value.shape) if not isinstance(size, int)]
    if open_axes:
        raise HbirError(
            f"{label}: input {name!r} has a dynamic extent on axis {open_axes[0]}"
            f" ({value.shape[open_axes[0]]}); export it without dynamic_shapes"
        )
    if value.dtype.is_floating_point and value.dtype != torch.float32:
        raise HbirError(
            f"{label}: input {name!r} is {value.dtype}, expected float32: export module.float()"
            " with float32 example inputs"
        )


def _outputs(
    program: ExportedProgram, nodes: Mapping[str, fx.Node], label: str
) -> list[tuple[str, fx.Node]]:
    specs = program.graph_signature.output_specs
    for spec in specs:
        if spec.kind == OutputKind.BUFFER_MUTATION:
            raise HbirError(
                f"{label}: forward writes its buffer {spec.target!r}, and a compiled network keeps"
                " no state; call module.eval() before the export, or return the new value"
            )
    returned = [spec.arg for spec in specs if spec.kind == OutputKind.USER_OUTPUT]
    names = output_names(program, len(returned))
    outputs: list[tuple[str, fx.Node]] = []
    for name, argument in zip(names, returned, strict=True):
        if isinstance(argument, TensorArgument):
            outputs.append((name, nodes[argument.name]))
        elif getattr(argument, "value", None) is not None:
            raise HbirError(f"{label}: output {name!r} must be a tensor, it is {argument}")
    if not outputs:
        raise HbirError(f"{label}: forward must return at least one tensor")
    return outputs
