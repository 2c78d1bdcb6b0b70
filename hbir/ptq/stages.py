"""The four stages of a network as ONNX files: what the user gave, and what hbir made of it.

    {prefix}_original_float_model.onnx    the user's model, inputs of fixed shape, opset 19
    {prefix}_optimized_float_model.onnx   after `optimize`: batch norms absorbed, ...
    {prefix}_calibrated_model.onnx        an HzCalibration where tensors and weights are rounded
    {prefix}_ptq_model.onnx               QuantizeLinear, DequantizeLinear, weights as integers

The last three are written from the IR, so they show what hbir computes. Nodes and tensors keep the
names of the user's model (hbir/exporters/onnx). All run in onnxruntime; its graph optimizations
replace the last file's QuantizeLinear pairs by integer kernels of its own, whose rounding differs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, shape_inference, version_converter

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.exporters.onnx.exporter import OPSET, export_file
from hbir.exporters.onnx.file import OnnxFile, copy_fields
from hbir.files import write_file
from hbir.frontends.onnx.graph import read_graph
from hbir.frontends.onnx.proto import load_model, opset_of
from hbir.frontends.onnx.shapes import InputShapes, resolve_input_shapes
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import to_attribute
from hbir.ir.origin import origin_of, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.passes.convert.lower_to_bpu.integer_weights import as_filters, lost_on_average
from hbir.passes.fake_quant import fake_quant_at
from hbir.passes.gemm import GemmOp, as_gemm, weight_range
from hbir.passes.pipelines import OPTIMIZE, run_pipeline

LOG = logging.getLogger("hbir.ptq")

STAGES = ("original_float", "optimized_float", "calibrated", "ptq")
"""Of each stage, what stands in its file's name: `{prefix}_{stage}_model.onnx`."""

SCALES = ("propagate-scales", "unify-scales", "quantize-constants")
"""The passes of `convert` that say the scale of every tensor the BPU touches."""

ELEMENTS_READ = 1024
"""Constants of more elements are weights to onnx's tools: they look at no value of them."""

Path = str | os.PathLike[str]


def write_original_float(
    source: Path | ModelProto | Module, shapes: InputShapes, path: Path
) -> None:
    """The user's model with inputs of fixed shape, in opset 19.

    source: an .onnx file or its proto, or a float module (of a network that came from PyTorch).
    shapes: as `hbir.onnx.export` takes them. A model that onnx can't convert to opset 19, or one of
    a newer opset, keeps its own, which the log says. Raises HbirError for a broken model and for a
    shape that isn't given.
    """
    file = export_file(source) if isinstance(source, Module) else _original_file(source, shapes)
    _write(file, path)


def write_optimized_float(module: Module, path: Path) -> None:
    """A float module as `optimize` leaves it. Raises HbirError for an op without an ONNX form."""
    write_float(optimized(module), path)


def write_float(module: Module, path: Path) -> None:
    """A float module as it is. Raises HbirError for an op without an ONNX form."""
    _write(export_file(module), path)


def write_calibrated(module: Module | Prepared, path: Path) -> None:
    """A qat module with an `HzCalibration` for each fake-quant, and for the weights that convert
    will round."""
    _write(export_file(calibrated_float(module)), path)


def write_ptq(module: Module | Prepared, path: Path) -> None:
    """A qat module as convert quantizes it: every tensor has a scale, constants and weights are
    integers, biases make up for the rounding of the weights."""
    _write(export_file(quantized_float(module), quantized=True), path)


def _write(file: OnnxFile, path: Path) -> None:
    write_file(path, file.chunks())


# ------------------------------------------------------------------------------------- from the IR


def optimized(module: Module) -> Module:
    """A copy of the module as `optimize` leaves it."""
    clone = module.clone()
    run_pipeline(clone.context, clone.op, OPTIMIZE)
    return clone


@dataclass(frozen=True)
class Prepared:
    """A qat module as both of its files begin: optimized, and with all scales, too."""

    optimized: Module
    scaled: Module


def prepared(module: Module, *, is_optimized: bool = False) -> Prepared:
    """Raises HbirError where no scales exist, as `convert` does. is_optimized: it needn't be."""
    ready = module if is_optimized else optimized(module)
    return Prepared(ready, _with_scales(ready))


def calibrated_float(module: Module | Prepared) -> Module:
    """A qat module with fake-quants on the weights too: what `_calibrated_model` shows."""
    given = module if isinstance(module, Prepared) else prepared(module)
    return _with_weight_fake_quants(given.optimized.clone(), given.scaled, corrected=False)


def quantized_float(module: Module | Prepared) -> Module:
    """A qat module, still in float, whose every rounding is a fake-quant: what `_ptq_model` shows.

    Run by the interpreter it is what the file is in onnxruntime.
    """
    given = module if isinstance(module, Prepared) else prepared(module)
    return _with_weight_fake_quants(given.scaled.clone(), given.scaled, corrected=True)


def _with_scales(module: Module) -> Module:
    """A copy in which every tensor that the BPU touches has a fake-quant."""
    clone = module.clone()
    run_pipeline(clone.context, clone.op, SCALES)
    return clone


def _with_weight_fake_quants(module: Module, scaled: Module, *, corrected: bool) -> Module:
    """The module, changed: layers with quantized inputs have fake-quants on constant weights.

    They are symmetric, 8 bits, one scale per output channel, as convert takes where nothing else is
    said. scaled: another copy, which says whose inputs are quantized. corrected: with convert's
    biases, too.
    """
    rewrite = Rewrite(module.context)
    for function, reference in zip(functions_of(module.op), functions_of(scaled.op), strict=True):
        gemms = list(filter(None, map(as_gemm, body_of(function).ops)))
        judged = list(filter(None, map(as_gemm, body_of(reference).ops)))
        for gemm, seen in zip(gemms, judged, strict=True):
            if isinstance(fake_quant_at(seen.x), ConstFakeQuantOp):
                _quantize_weights(gemm, rewrite, corrected=corrected)
    return module


def _quantize_weights(gemm: GemmOp, rewrite: Rewrite, *, corrected: bool) -> None:
    fake_quant = fake_quant_at(gemm.w)
    constant = gemm.w if fake_quant is None else fake_quant.operands[0]
    weights = rewrite.constant_value(constant)
    if weights is None or not isinstance(constant.owner, ConstantOp):
        return
    if fake_quant is None:
        ranges: dict[str, Any] = rewrite.weights.derived(
            (weight_range, gemm.name, constant.owner.values),
            lambda: {
                key: to_attribute(value) for key, value in weight_range(gemm, weights).items()
            },
        )
        fake_quant = ConstFakeQuantOp.make(gemm.w, **ranges)
        set_origin(fake_quant, origin_of(gemm.w))
        gemm.operands[1] = rewrite.insert(fake_quant, before=gemm).output
    if not corrected or not isinstance(fake_quant, ConstFakeQuantOp):
        return
    rounded = const_fake_quant(weights, **fake_quant.params())
    filters = as_filters(gemm, weights)
    correction = lost_on_average(gemm, filters, as_filters(gemm, rounded), rewrite.weights)
    if correction is not None:
        _add_to_bias(gemm, rewrite, correction)


def _add_to_bias(gemm: GemmOp, rewrite: Rewrite, correction: Array) -> None:
    bias = None if gemm.bias is None else rewrite.constant_value(gemm.bias)
    if gemm.bias is not None and bias is None:
        return
    total = correction if bias is None else bias + correction
    origin = None if gemm.bias is None else origin_of(gemm.bias)
    value = rewrite.constant(total.astype(np.float32), before=gemm, origin=origin)
    gemm.operands = [gemm.x, gemm.w, value]


# ------------------------------------------------------------------------------ the user's own file


def original_float(source: Path | ModelProto, shapes: InputShapes = None) -> ModelProto:
    """The user's model with inputs of fixed shape, named nodes, in opset 19 where that can be."""
    return ModelProto.FromString(_original_file(source, shapes).data())


def _original_file(source: Path | ModelProto, shapes: InputShapes) -> OnnxFile:
    """`original_float`; what onnx's tools change is done without the weights, which they copy."""
    given, label = load_model(source)
    graph = read_graph(given)
    resolved = resolve_input_shapes(graph.inputs, shapes, label)
    model, weights = _without_weights(given)
    _name_nodes(model, [node.name for node in graph.nodes], [node.proto for node in graph.nodes])
    for port in model.graph.input:
        if port.name in resolved:
            _set_shape(port, resolved[port.name])
    model = _with_shapes(_in_opset(model, label))
    known = {port.name for port in given.graph.input}
    for index in reversed(range(len(model.graph.input))):
        name = model.graph.input[index].name
        if name in weights and name not in known:
            del model.graph.input[index]
    return OnnxFile(model, tensors=list(weights.values()))


def _without_weights(given: ModelProto) -> tuple[ModelProto, dict[str, TensorProto]]:
    """A copy in which weights are inputs, and the weights. Small constants (shapes, axes), which
    converters and shape inference look at, stay."""
    model, weights = ModelProto(), dict[str, TensorProto]()
    copy_fields(given, model, leave_out="graph")
    copy_fields(given.graph, model.graph, leave_out="initializer")
    ports = {port.name for port in given.graph.input}
    for tensor in given.graph.initializer:
        if prod(tensor.dims) <= ELEMENTS_READ:
            model.graph.initializer.add().CopyFrom(tensor)
            continue
        weights[tensor.name] = tensor
        if tensor.name not in ports:
            dims = list(tensor.dims)
            port = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, dims)
            model.graph.input.append(port)
    return model, weights


def _name_nodes(model: ModelProto, names: Sequence[str], protos: Sequence[onnx.NodeProto]) -> None:
    """Give nodes without a name the one that hbir calls them by everywhere."""
    by_result = {proto.output[0]: name for proto, name in zip(protos, names, strict=True)}
    for node in model.graph.node:
        if not node.name and node.output:
            node.name = by_result.get(node.output[0], "")


def _set_shape(port: onnx.ValueInfoProto, shape: Sequence[int]) -> None:
    dims = port.type.tensor_type.shape.dim
    del dims[:]
    for extent in shape:
        dims.add().dim_value = extent


def _in_opset(model: ModelProto, label: str) -> ModelProto:
    version = opset_of(model, label)[""]
    if version == OPSET:
        return model
    if version > OPSET:
        LOG.warning("%s: stays at opset %d, onnx's converter goes up only", label, version)
        return model
    try:
        converted = version_converter.convert_version(model, OPSET)
        checker: Any = onnx.checker  # its signature is typed only in part
        checker.check_model(converted)
    except Exception as error:  # onnx raises its C++ errors as bare RuntimeError or subclasses
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        text = "%s: stays at opset %d, onnx can't convert it to %d: %s"
        LOG.warning(text, label, version, OPSET, reason)
        return model
    return converted


def _with_shapes(model: ModelProto) -> ModelProto:
    """The model with the shapes of its tensors inferred anew from its inputs'."""
    del model.graph.value_info[:]
    for port in model.graph.output:
        if any(not dim.HasField("dim_value") for dim in port.type.tensor_type.shape.dim):
            port.type.tensor_type.ClearField("shape")
    try:
        return shape_inference.infer_shapes(model)
    except Exception:  # what it can't infer, Netron does without
        return model
