"""Elements written at indices, constant or computed."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_REDUCTIONS = {"sum": "add", "add": "add", "prod": "mul", "amax": "max", "amin": "min"}


@imports("scatter.src", "scatter_add.default", "scatter_reduce.two")
def scatter(node: NodeImport) -> SSAValue:
    """scatter, scatter_add, scatter_reduce → scatter_elements."""
    mode = "add" if node.kind == "scatter_add" else "none"
    if "reduce" in node.names:
        if not node.bool_("include_self") or node.str_("reduce") not in _REDUCTIONS:
            known = ", ".join(_REDUCTIONS)
            raise NoBpuForm(f"include_self must be true, and reduce one of {known}")
        mode = _REDUCTIONS[node.str_("reduce")]
    operands = (node.value(name) for name in ("self", "index", "src"))
    axis = node.axis("dim", len(node.shape()))
    return node.result("scatter_elements", *operands, dim=axis, scatter_reduce_mode=mode)
