"""The float inputs of a model from what its compiled stages are fed: planes, pixels, single images.

A `.bc` or `.hbm` says in its description what hb_compile inserted at its inputs. A function that
only hands its inputs through gets the same insertions; what it makes of the board's inputs is what
the float model takes, so stages before and after the insertions can be compared.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import ModuleOp

from hbir.hb_runtime import HB_HBIRRuntime, HB_HBMRuntime, HBRuntime
from hbir.interface import Array
from hbir.ir.context import make_context
from hbir.ir.function import finish_function, make_function
from hbir.ir.types import F32, tensor
from hbir.module import Function, Module
from hbir.ptq.build.insert import insert_nodes
from hbir.ptq.description import input_sources, input_specs, read_description
from hbir.ptq.inputs import InputSpec

LOG = logging.getLogger("hbir.ptq")

_MADE = " (float)"
"""What the names of outputs end with: no input and output may have the same."""


def insertions_between(board: HBRuntime, model: HBRuntime) -> Function | None:
    """What makes the float inputs of `model` from those of `board`; None for any other two.

    Its inputs are the board's; its outputs, in order, are the model's inputs.
    """
    known = read_description(_description(board))
    specs = input_specs(known) if known is not None else ()
    if known is None or not any(spec.is_image or spec.separate_batch for spec in specs):
        return None
    shapes = dict(zip(model.input_names, model.input_shapes, strict=True))
    if set(shapes) != {spec.name for spec in specs}:
        return None
    if not all(_agree(shapes[spec.name], spec.shape) for spec in specs):
        return None
    LOG.info("what was inserted at the inputs of %s:", board.model_path)
    inserted = insert_nodes(_through(specs), specs, input_sources(known)).functions[0]
    names = [port.name for port in inserted.flatten_inputs]
    return inserted if names == board.input_names else None


def _description(runtime: HBRuntime) -> str:
    if isinstance(runtime, HB_HBMRuntime):
        return runtime.graph.desc
    return runtime.function.desc if isinstance(runtime, HB_HBIRRuntime) else ""


def _agree(shape: Sequence[int | None], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        given in (None, extent) for given, extent in zip(shape, wanted, strict=True)
    )


def _through(specs: Sequence[InputSpec]) -> Module:
    """A function that hands its inputs through."""
    context = make_context()
    function, block = make_function("inputs", [(s.name, tensor(s.shape, F32)) for s in specs])
    names = [spec.name + _MADE for spec in specs]
    finish_function(function, list(zip(names, block.args, strict=True)))
    return Module(ModuleOp([function]), context)


def float_inputs(insertions: Function, feed: Mapping[str, Array]) -> dict[str, Array]:
    """The float model's inputs by name, made of the board's."""
    return {name.removesuffix(_MADE): array for name, array in insertions.feed(feed).items()}
