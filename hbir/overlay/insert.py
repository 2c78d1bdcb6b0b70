"""Insertions at a function's inputs and outputs: layout, images, batches.

Each makes new inputs (or outputs) in the old one's place, and the ops between: what the published
API's printed examples show, literally. They go before calibration or conversion.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, Operation, SSAValue

from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, ImagePreprocessOp, RoiResizeOp
from hbir.dialects.hbir.move import ConcatOp, SliceOp, TransposeOp
from hbir.errors import HbirError
from hbir.ir.function import TARGET, body_of, input_names, output_names, return_of
from hbir.ir.names import valid_name
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin, origin_of_op, set_origin
from hbir.ir.types import (
    F32,
    SI8,
    SI32,
    UI8,
    AnyTensor,
    element_of,
    open_axes,
    open_tensor,
    shape_of,
    tensor,
)
from hbir.kernels.float.grid_sample import EXPANSION_MODES
from hbir.kernels.float.image import COLOUR_SPACES
from hbir.kernels.roi import INTERPOLATE_MODES, MAX_EXTENT, PLANES
from hbir.overlay.ports import (
    erase_input,
    expect_free,
    insert_input,
    rename_input,
    replace_input,
    set_outputs,
)

Build = Callable[[list[BlockArgument]], Sequence[TensorOp]]
"""New inputs → the ops that make the old input's value of them, in order."""

CONVERT_MODES = ("nv12", "gray")


def transpose_input(
    function: FuncOp, argument: BlockArgument, permutes: Sequence[int]
) -> list[BlockArgument]:
    """New → transpose {dims = permutes} → old, so that old.shape[i] = new.shape[permutes[i]]."""
    shape = shape_of(argument)
    dims = _permutation(permutes, len(shape))
    new_shape = [0] * len(dims)
    for axis, source in enumerate(dims):
        new_shape[source] = shape[axis]
    name = _name_of(function, argument)
    return _replace(
        function,
        argument,
        [(name, tensor(new_shape, element_of(argument)))],
        lambda new: [TransposeOp.make(new[0], dims=list(dims))],
    )


def transpose_output(function: FuncOp, index: int, permutes: Sequence[int]) -> None:
    """Old value → transpose {dims = permutes} → the new output, as numpy.transpose."""
    value = return_of(function).operands[index]
    dims = _permutation(permutes, len(shape_of(value)))
    name = output_names(function)[index]
    expect_not_converted(function)
    op = _append(function, TransposeOp.make(value, dims=list(dims)), name)
    set_outputs(function, index, [(name, op.output)])


def convert_image(function: FuncOp, argument: BlockArgument, mode: str) -> list[BlockArgument]:
    """Camera planes, ui8, in the place of a (N, H, W, C) input: `<name>_y`, and `<name>_uv`.

    The input is si8, as `preprocess_image` leaves it, or f32, which then gets the values −128…127.
    """
    what = "insert_image_convert"
    name = _name_of(function, argument)
    batch, height, width = _image_extents(argument, name, mode, what)
    planes: list[tuple[str, AnyTensor]] = [(f"{name}_y", tensor((batch, height, width, 1), UI8))]
    if mode == "nv12":
        half = (batch, height // 2, width // 2, 2)
        planes.append((f"{name}_uv", tensor(half, UI8)))
    element = _image_element(argument, name, what)

    def build(new: list[BlockArgument]) -> list[TensorOp]:
        converted = ImageConvertOp.make(*new, mode=mode.upper())
        if element == SI8:
            return [converted]
        return [converted, CastTypeOp.make(converted, element=F32)]

    return _replace(function, argument, planes, build)


def resize_roi(
    function: FuncOp,
    argument: BlockArgument,
    *,
    mode: str,
    interp_mode: str,
    pad_mode: str,
    pad_value: Sequence[int],
) -> list[BlockArgument]:
    """A whole image of any size and a region of interest in the place of a (1, H, W, C) input.

    `<name>_y` and `<name>_uv`, ui8 with open H and W, and `<name>_roi`, si32 (left, top, right,
    bottom). The input is si8 or f32, as for `convert_image`.
    """
    what = "insert_roi_resize"
    name = _name_of(function, argument)
    batch, height, width = _image_extents(argument, name, mode, what)
    for key, given, known in (
        ("interp_mode", interp_mode, INTERPOLATE_MODES),
        ("pad_mode", pad_mode, EXPANSION_MODES),
    ):
        if given not in known:
            raise HbirError(f"{what}: {key} {given!r} is not supported; use {', '.join(known)}")
    if batch != 1:
        raise HbirError(
            f"{what}: {name!r} holds {batch} images, a roi is of one; call insert_split(0) first"
            " and insert at each"
        )
    padding = _numbers("pad_value", pad_value, what)
    element = _image_element(argument, name, what)
    ports: list[tuple[str, AnyTensor]] = []
    for suffix, (channels, pixels) in zip(("y", "uv"), PLANES[mode.upper()], strict=False):
        most = (1, MAX_EXTENT // pixels, MAX_EXTENT // pixels, channels)
        ports.append((f"{name}_{suffix}", open_tensor(most, UI8, (-2, -3))))
    ports.append((f"{name}_roi", tensor((1, 4), SI32)))

    def build(new: list[BlockArgument]) -> list[TensorOp]:
        resized = RoiResizeOp.make(
            *new,
            size=[height, width],
            mode=mode.upper(),
            interpolate_mode=interp_mode,
            expansion_mode=pad_mode,
            pad_value=[int(byte) for byte in padding],
        )
        if element == SI8:
            return [resized]
        return [resized, CastTypeOp.make(resized, element=F32)]

    return _replace(function, argument, ports, build)


def preprocess_image(
    function: FuncOp,
    argument: BlockArgument,
    *,
    mode: str | None,
    divisor: float | None,
    mean: float | Sequence[float] | None,
    std: float | Sequence[float] | None,
    is_signed: bool,
    bit_width: int,
    image_layout: str | None,
) -> list[BlockArgument]:
    """((csc(x) / divisor) − mean) / std behind an input of bytes, si8 (pixel − 128) or ui8."""
    name, shape = _name_of(function, argument), shape_of(argument)
    csc = "skip" if mode is None else mode
    if csc not in COLOUR_SPACES:
        raise HbirError(
            f"insert_image_preprocess: mode {mode!r} is unknown; use {', '.join(COLOUR_SPACES)}"
        )
    if bit_width != 8 or image_layout not in (None, "normal"):
        raise HbirError(
            "insert_image_preprocess: only images of 8 bits in the normal layout are supported, got"
            f" bit_width={bit_width}, image_layout={image_layout!r}"
        )
    if element_of(argument) != F32 or not shape:
        raise HbirError(
            f"insert_image_preprocess: {name!r} is {argument.type}, expected f32 of (N, H, W, C)"
        )
    params: dict[str, Any] = {
        "csc": csc,
        "divisor": _numbers("divisor", 256 if divisor is None else divisor)[0],
        "mean": _numbers("mean", 0 if mean is None else mean),
        "sd": _numbers("std", 1 if std is None else std),
        "signed": is_signed,
    }

    def build(new: list[BlockArgument]) -> list[TensorOp]:
        cast = CastTypeOp.make(new[0], element=F32)
        return [cast, ImagePreprocessOp.make(cast, **params)]

    return _replace(function, argument, [(name, tensor(shape, SI8 if is_signed else UI8))], build)


def split_input(function: FuncOp, argument: BlockArgument, dim: int) -> list[BlockArgument]:
    """An input per element of an axis, `<name>_0`, …, which are concatenated."""
    name, shape = _name_of(function, argument), shape_of(argument)
    axis = _axis(dim, shape, name)
    part = tensor((*shape[:axis], 1, *shape[axis + 1 :]), element_of(argument))
    parts = [(f"{name}_{i}", part) for i in range(shape[axis])]
    return _replace(function, argument, parts, lambda new: [ConcatOp.make(*new, dim=axis)])


def split_output(function: FuncOp, index: int, dim: int) -> int:
    """An output per element of an axis, `<name>_0`, …, each a slice; returns how many."""
    value, name = return_of(function).operands[index], output_names(function)[index]
    shape = shape_of(value)
    axis = _axis(dim, shape, name)
    expect_not_converted(function)
    outputs: list[tuple[str, SSAValue]] = []
    for i in range(shape[axis]):
        begin, end = [0] * len(shape), list(shape)
        begin[axis], end[axis] = i, i + 1
        part = SliceOp.make(value, begin=begin, end=end, step=[1] * len(shape))
        outputs.append((f"{name}_{i}", _append(function, part, f"{name}_{i}").output))
    set_outputs(function, index, outputs)
    return len(outputs)


def _replace(
    function: FuncOp,
    argument: BlockArgument,
    inputs: Sequence[tuple[str, AnyTensor]],
    build: Build,
) -> list[BlockArgument]:
    """Put new inputs in the place of `argument`, with the ops of `build` before all others."""
    expect_not_converted(function)
    old_name, index = _name_of(function, argument), argument.index
    if open_axes(argument):
        raise HbirError(
            f"nothing can be inserted at {old_name!r}: its extents are open, and only"
            " insert_roi_resize's own op reads such an input"
        )
    for name, _ in inputs:
        if name != old_name:
            expect_free(function, name)
    placeholders = [
        insert_input(function, index + 1 + i, f"{old_name}//{i}", type_)
        for i, (_, type_) in enumerate(inputs)
    ]
    block = body_of(function)
    try:
        ops = list(build(placeholders))
    except HbirError:  # the function stays as it was
        for new in reversed(placeholders):
            for use in list(new.uses):
                use.operation.drop_all_references()
            erase_input(function, new.index)
        raise
    for op in ops[:-1]:
        set_origin(op, Origin(f"{old_name}/{op.name.split('.')[1]}"))
    set_origin(ops[-1], _origin_of_input(argument, old_name))
    first = block.first_op
    assert first is not None, "a function ends with its return"
    block.insert_ops_before(ops, first)
    replace_input(function, argument, ops[-1].output)
    for new, (name, _) in zip(placeholders, inputs, strict=True):
        rename_input(function, new.index, name)
        new.name_hint = valid_name(name)
    return placeholders


def expect_not_converted(function: FuncOp) -> None:
    """Raises HbirError behind `convert`: what is inserted there would not be quantized."""
    module = function.parent_op()
    if module is not None and TARGET in module.attributes:
        raise HbirError(
            f"function {function.sym_name.data!r} is converted already; insert at its inputs and"
            " outputs before convert"
        )


def _numbers(what: str, given: Any, inserted: str = "insert_image_preprocess") -> list[float]:
    """One number or several. Raises HbirError for what is none, and for nan and inf."""
    try:
        numbers = [float(number) for number in np.atleast_1d(np.asarray(given, np.float64))]
    except (TypeError, ValueError):
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)):
        raise HbirError(f"{inserted}: {what} is {given!r}, expected a number or one per channel")
    return numbers


def _origin_of_input(argument: BlockArgument, name: str) -> Origin:
    """The origin of an input's value: where it is only read by a transpose that was inserted
    before, it is the source tensor in another layout."""
    users = {use.operation for use in argument.uses}
    if len(users) != 1:
        return Origin(name)
    (reader,) = users
    origin = origin_of_op(reader)
    if not isinstance(reader, TransposeOp) or origin is None or origin.tensor != name:
        return Origin(name)
    return origin.permuted([int(axis) for axis in np.argsort(reader.params()["dims"])])


def _append(function: FuncOp, op: TensorOp, name: str) -> TensorOp:
    set_origin(op, Origin(name))
    end: Operation = return_of(function)
    body_of(function).insert_ops_before([op], end)
    return op


def _name_of(function: FuncOp, argument: BlockArgument) -> str:
    return input_names(function)[argument.index]


def _image_extents(
    argument: BlockArgument, name: str, mode: str, what: str
) -> tuple[int, int, int]:
    """Batch, height and width of an input that takes planes of `mode`."""
    if mode not in CONVERT_MODES:
        raise HbirError(f"{what}: mode {mode!r} is not supported; use {', '.join(CONVERT_MODES)}")
    shape = shape_of(argument)
    channels = 3 if mode == "nv12" else 1
    if len(shape) != 4 or shape[3] != channels:
        raise HbirError(
            f"{what}: {mode} needs an input (N, H, W, {channels}); {name!r} is {list(shape)}. For"
            " N, C, H, W call insert_transpose([0, 3, 1, 2]) first"
        )
    if mode == "nv12" and (shape[1] % 2 or shape[2] % 2):
        raise HbirError(
            f"{what}: nv12 needs an even height and width; {name!r} is {shape[1]}x{shape[2]}"
        )
    return shape[:3]


def _image_element(argument: BlockArgument, name: str, what: str) -> Any:
    element = element_of(argument)
    if element not in (SI8, F32):
        raise HbirError(f"{what}: {name!r} is {argument.type}, expected si8 or f32")
    return element


def _permutation(permutes: Sequence[int], rank: int) -> tuple[int, ...]:
    try:
        dims = tuple(operator.index(axis) for axis in permutes)
    except TypeError:
        dims = ()
    if sorted(dims) != list(range(rank)):
        raise HbirError(f"insert_transpose: {permutes} is no permutation of {rank} axes")
    return dims


def _axis(dim: int, shape: Sequence[int], name: str) -> int:
    try:
        axis = operator.index(dim)
    except TypeError:
        raise HbirError(f"insert_split: dim is {dim!r}, expected an axis of {name!r}") from None
    if not -len(shape) <= axis < len(shape):
        raise HbirError(f"insert_split: {name!r} of shape {list(shape)} has no axis {axis}")
    return axis % len(shape)
