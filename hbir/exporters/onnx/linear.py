"""Matrix products: with a constant weight, and of two activations."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.ir.origin import origin_of


@exports("hbir.linear")
def linear(node: NodeExport) -> None:
    """Gemm of matrices, else MatMul and Add. Weights keep the layout they have in the source."""
    rank = node.rank()
    if rank == 2:
        origin = origin_of(node.operands[1])
        transposed = origin is not None and origin.perm == (1, 0)
        weights = node.tensor(1, (1, 0) if transposed else (0, 1))
        bias = [node.tensor(2)] if node.has(2) else []
        node.finish("Gemm", node.tensor(0), weights, *bias, transB=int(transposed) or None)
        return
    layout = node.layout()
    kept = layout if rank >= 2 and layout[-1] == rank - 1 else tuple(range(rank))
    inputs = [node.tensor(0, kept), node.tensor(1)]
    if not node.has(2):
        node.finish("MatMul", *inputs, layout=kept)
        return
    node.finish("Add", node.emit("MatMul", *inputs), node.tensor(2), layout=kept)


@exports("hbir.matmul")
def matmul(node: NodeExport) -> None:
    """MatMul, and a Mul by the scale."""
    inputs = [node.tensor(0), node.tensor(1)]
    scale = node.params["scale"]
    if scale == 1:
        node.finish("MatMul", *inputs)
        return
    node.finish("Mul", node.emit("MatMul", *inputs), node.number(scale))
