"""`convert_module`: from fake-quants to the integers that a march computes."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr

from hbir.backend.march import March, load_march
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.module import TARGET, Module
from hbir.passes.pipelines import CONVERT, run_pipeline


def convert_module(module: Module, march: March | str) -> Module:
    """A new module at the quantized level for `march` (a name or a march file's path).

    module: with fake-quants, calibrated, trained or imported; it isn't changed. Ops without a BPU
    form become CPU calls that say why. Raises HbirError for modules of other levels, for an unknown
    march, and, naming op and tensor, where no integer parameters exist.
    """
    if module.level not in ("float", "qat"):
        raise HbirError(f"convert takes a module at the qat level, this one is {module.level}")
    fake_quants = any(isinstance(op, ConstFakeQuantOp) for op in module.op.walk())
    if module.level == "float" and not fake_quants:  # a calibrated network may need none
        raise HbirError(
            "convert takes a module with fake-quants, this one has none; run hbir.calibrate on it"
            " first"
        )
    machine = load_march(march)
    converted = module.clone()
    converted.op.attributes[TARGET] = StringAttr(machine.name)
    run_pipeline(converted.context, converted.op, CONVERT)
    converted.level = "quantized"
    return converted
