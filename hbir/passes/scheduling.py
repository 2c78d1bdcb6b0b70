"""What the schedule passes share: the machine that a module is scheduled for."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp, StringAttr

from hbir.backend.march import Machine, load_march
from hbir.errors import HbirError
from hbir.ir.function import TARGET


def machine_of(module: ModuleOp, march: str | None) -> Machine:
    """The machine of a pass's `march` option, else of the module's `hbdk.target`.

    Raises HbirError when neither says one, or the one said doesn't exist.
    """
    if march is not None:
        return load_march(march)
    target = module.attributes.get(TARGET)
    if not isinstance(target, StringAttr):
        raise HbirError(f"the module has no {TARGET}; convert it, or give the option march")
    return load_march(target.data)


def known_machine(module: ModuleOp) -> Machine | None:
    """The machine that the module names; None when it names none, or that of a file."""
    try:
        return machine_of(module, None)
    except HbirError:
        return None
