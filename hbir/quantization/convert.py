"""`convert_module`: from fake-quants to the integers that a march computes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import StringAttr

from hbir.backend.march import March, load_march
from hbir.errors import HbirError
from hbir.ir.function import TARGET
from hbir.module import Module
from hbir.passes.fake_quant import is_fake_quant
from hbir.passes.pipelines import CONVERT, QUANTIZE, run_pipeline


def convert_module(
    module: Module,
    march: March | str,
    *,
    run_on_cpu: Sequence[str] = (),
    run_on_bpu: Sequence[str] = (),
    enable_vpu: bool = True,
    enable_spu: bool = True,
    is_optimized: bool = False,
) -> Module:
    """A new module at the quantized level for `march` (a name or a march file's path).

    run_on_cpu, run_on_bpu: source nodes that a user wants there. enable_vpu, enable_spu: whether
    ops may use the vector and the scalar unit; quantizing at the edges is always the vector unit's.
    is_optimized: `optimize` left it so, which has nothing more to do then.

    module: with fake-quants, calibrated, trained or imported; it isn't changed. Ops without a BPU
    form become CPU calls that say why. Raises HbirError for modules of other levels, for an unknown
    march, and, naming op and tensor, where no integer parameters exist.
    """
    if module.level not in ("float", "qat"):
        raise HbirError(f"convert takes a module at the qat level, this one is {module.level}")
    fake_quants = any(map(is_fake_quant, module.op.walk()))
    if module.level == "float" and not fake_quants:  # a calibrated network may need none
        raise HbirError(
            "convert takes a module with fake-quants, this one has none; run hbir.calibrate on it"
            " first"
        )
    machine = load_march(march)
    converted = module.clone()
    converted.op.attributes[TARGET] = StringAttr(machine.name)
    disabled = [unit for unit, on in (("VPU", enable_vpu), ("SPU", enable_spu)) if not on]
    wishes = {"run_on_cpu": tuple(run_on_cpu), "run_on_bpu": tuple(run_on_bpu)}
    options = {"place-ops": {**wishes, "disabled": tuple(disabled)}}
    passes = QUANTIZE if is_optimized else CONVERT
    run_pipeline(converted.context, converted.op, passes, options=options)
    converted.level = "quantized"
    return converted
