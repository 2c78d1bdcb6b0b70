"""Which ops of a quantized module run on the CPU, and whether each of them says why."""

from collections.abc import Iterator

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from hbir import Module

# What a quantized module may hold besides CPU calls: ops of the machine, quantize and dequantize at
# the edges, and constants.
BPU_PREFIXES = ("bpu.", "qnt.quantize", "qnt.dequantize", "hbir.constant")
CPU_CALL = "hbtl.call"


def cpu_calls(module: Module) -> Iterator[tuple[Operation, str]]:
    """Every CPU op of all functions, with its reason ("" when it gives none)."""
    for function in module.functions:
        for op in function.operations:
            if op.name == CPU_CALL:
                reason = op.properties.get("reason") or op.attributes.get("reason")
                yield op, reason.data if isinstance(reason, StringAttr) else ""


def assert_cpu_ops_give_reasons(module: Module) -> None:
    """Every op is the BPU's, or a CPU call that states its reason."""
    for function in module.functions:
        strays = {
            op.name
            for op in function.operations
            if op.name != CPU_CALL and not op.name.startswith(BPU_PREFIXES)
        }
        assert not strays, f"neither on the BPU nor a CPU call: {sorted(strays)}"
    silent = [str(op) for op, reason in cpu_calls(module) if not reason]
    assert not silent, f"CPU ops without a reason: {silent}"
