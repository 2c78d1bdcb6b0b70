"""`hbir.torch.export`: a PyTorch network as a float module; `hbir.torch.statistics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hbir.errors import HbirError
from hbir.module import Module
from hbir.passes.optimize.cancel_transposes import CancelTransposes

try:
    from hbir.frontends.errors import UnsupportedError
    from hbir.frontends.torch.importer import import_program, operator_counts
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise HbirError("hbir.torch needs PyTorch: pip install 'hbir[torch]'") from error

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.nn import Module as TorchModule

__all__ = ["UnsupportedError", "export", "statistics"]


def export(
    module_or_exported_program: TorchModule | ExportedProgram,
    example_inputs: Any = (),
    *,
    name: str | None = None,
    input_names: Any = None,
    output_names: Any = None,
) -> Module:
    """The float-level module of a PyTorch network, by torch.export (non-strict, ATen).

    module_or_exported_program: a module in eval mode, or what torch.export made of one.
    example_inputs: a tensor, a tuple of positional arguments, or a dict of keyword arguments; they
    fix the shapes, and aren't needed for an exported program. name: the function's; the module's
    class by default.

    Inputs and outputs keep their layouts, and are named after their place in the call of forward:
    `x`, `boxes.a.0`; one result is `output`, a tuple's are `output.0`, ..., a dict's its keys.
    input_names and output_names give others, one per tensor, flat or nested as the arguments are.
    Ops bear the paths of the user's modules (`layer1.0.conv1`).

    A node without BPU form becomes an `hbtl.call` that says why. Raises HbirError when torch.export
    fails or for modules that aren't float32, UnsupportedError (with operator, module path and line)
    for a node that can't be run at all.
    """
    module = import_program(
        module_or_exported_program, example_inputs, name, input_names, output_names
    )
    CancelTransposes().apply(module.context, module.op)
    module.verify()
    return module


def statistics(
    module_or_exported_program: TorchModule | ExportedProgram, example_inputs: Any = ()
) -> dict[str, int]:
    """ATen operator → count of the network, sorted by operator. Arguments are those of `export`."""
    return operator_counts(module_or_exported_program, example_inputs)
