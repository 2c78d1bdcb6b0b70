"""The field table: every opcode's operands and parameters, once.

A parameter is one keyword argument of the kernel of the same meaning (docs/arithmetic.md has the
formulas), flattened to signed 64-bit words: `stride` is `stride_h`, `stride_w`. To add an opcode,
append a row; to add a parameter, append it to the row's end (word positions are part of the .hbm
format, opcode numbers too).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hbir.backend.isa.enums import Engine, Flag
from hbir.backend.isa.fields import MAX_OPERANDS, MAX_RANK, NONE, Instruction, Kind, Parameter
from hbir.errors import HbirError

__all__ = [
    "INSTRUCTIONS",
    "MAX_OPERANDS",
    "MAX_RANK",
    "NONE",
    "Instruction",
    "Kind",
    "Parameter",
    "instruction",
]

_COORDINATE_MAX = 1 << 62
_EXTENT_MAX = (1 << 20) - 1


def _pair(name: str, default: tuple[int, int], doc: str, *, minimum: int = 1) -> Parameter:
    return Parameter(
        name, Kind.TUPLE, ("h", "w"), default, minimum=minimum, maximum=_EXTENT_MAX, doc=doc
    )


_EDGES = ("top", "left", "bottom", "right")
_STRIDE = _pair("stride", (1, 1), "step of the window, in input elements")
_DILATION = _pair("dilation", (1, 1), "step between window elements")
_KERNEL = Parameter("kernel", Kind.TUPLE, ("h", "w"), None, True, 1, _EXTENT_MAX, doc="window size")
_PAD = Parameter(
    "pad",
    Kind.TUPLE,
    _EDGES,
    (0, 0, 0, 0),
    minimum=-(1 << 20),
    maximum=1 << 20,
    doc="elements added at each border of this tile; negative crops",
)
_CLIP = Parameter(
    "clip", Kind.TUPLE, ("low", "high"), None, doc="bounds after the zero point; absent: the type's"
)
_MULTIPLIER = Parameter("multiplier", default=None, required=True, doc="fixed-point factor")
_SHIFT = Parameter(
    "shift", default=None, required=True, minimum=-62, maximum=62, doc="right shift, rounding"
)
_INPUT_ZERO_POINT = Parameter("input_zero_point", default=0, doc="zero point of the input")
_OUTPUT_ZERO_POINT = Parameter("output_zero_point", default=0, doc="zero point of the output")

_DIM = Parameter("dim", default=-1, minimum=-MAX_RANK, maximum=MAX_RANK - 1, doc="axis")
_DIMS = Parameter(
    "dims", Kind.LIST, default=None, required=True, minimum=-MAX_RANK, maximum=MAX_RANK - 1,
    doc="axes reduced",
)  # fmt: skip
_KEEP_DIM = Parameter("keep_dim", Kind.BOOL, default=False, doc="reduced axes stay, as 1")

_MODE = Parameter(
    "mode", Kind.CHOICE, default=None, required=True,
    choices=("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
)  # fmt: skip
_COUNT_INCLUDE_PAD = Parameter(
    "count_include_pad", Kind.BOOL, default=True, doc="divide by whole windows"
)

_VECTOR = (Engine.VAE, Engine.AAE, Engine.TRANS, Engine.VPU, Engine.SPU)
"""The march file says which of them runs an opcode (`[opcodes]`)."""

_ROWS: tuple[Instruction, ...] = (
    Instruction(
        "load", 1, "", ("output", "input"), (Engine.LOAD,),
        doc="Copy a DDR tensor into on-chip memory; shapes equal, strides free.",
    ),
    Instruction(
        "store", 2, "", ("output", "input"), (Engine.STORE,),
        doc="Copy an on-chip tensor into DDR; shapes equal, strides free.",
    ),
    Instruction(
        "copy", 3, "", ("output", "input"), _VECTOR,
        doc="Copy between on-chip tensors; shapes equal, strides free.",
    ),
    Instruction(
        "fill", 4, "", ("output",), _VECTOR,
        (Parameter("value", default=None, required=True, doc="written to every element"),),
        doc="Write one value to every element.",
    ),
    Instruction(
        "permute", 5, "", ("output", "input"), _VECTOR,
        (Parameter(
            "dims", Kind.LIST, default=None, required=True, minimum=0, maximum=MAX_RANK - 1,
            doc="output axis i is input axis dims[i]",
        ),),
        doc="Transpose any axes.",
    ),
    Instruction(
        "conv2d", 16, "bpu.conv2d",
        ("output?", "accumulator?", "x", "weights", "qpp", "residual?"), (Engine.TAE,),
        (
            _STRIDE, _PAD, _DILATION,
            Parameter("group_num", default=1, minimum=1, doc="channel groups"),
            _pair("input_dilation", (1, 1), "step between inputs; gaps hold pad_value"),
            Parameter("pad_value", default=0, doc="value of padded inputs: their zero point"),
            _OUTPUT_ZERO_POINT, _CLIP,
        ),
        Flag.ACCUMULATE_FIRST | Flag.ACCUMULATE_LAST,
        Flag.ACCUMULATE_FIRST | Flag.ACCUMULATE_LAST,
        doc="Convolution (matrix product: 1x1). A K split is a chain of them over one accumulator:"
        " the first without ACCUMULATE_LAST, the last without ACCUMULATE_FIRST.",
    ),
    Instruction(
        "matmul", 17, "bpu.matmul", ("output", "x", "y"), (Engine.TAE,),
        (
            _MULTIPLIER, _SHIFT,
            Parameter("lhs_zero_point", default=0, doc="zero point of x; y has none"),
            _OUTPUT_ZERO_POINT, _CLIP,
        ),
        doc="Matrix product of activations, (..., M, K) by (..., N, K); leading axes broadcast.",
    ),
    Instruction(
        "add", 24, "bpu.add", ("output", "x", "y"), _VECTOR,
        (
            Parameter("multipliers", Kind.TUPLE, ("x", "y"), None, True, doc="factor per input"),
            _SHIFT,
            Parameter(
                "bias", default=0, minimum=-(1 << 62), maximum=1 << 62, doc="added before the shift"
            ),
            _OUTPUT_ZERO_POINT, _CLIP,
        ),
        doc="Sum of two scaled tensors, broadcast.",
    ),
    Instruction(
        "mul", 25, "bpu.mul", ("output", "x", "y"), _VECTOR,
        (
            _MULTIPLIER, _SHIFT,
            Parameter("zero_points", Kind.TUPLE, ("x", "y"), (0, 0), doc="zero points of inputs"),
            _OUTPUT_ZERO_POINT, _CLIP,
        ),
        doc="Product of two tensors, broadcast, requantized.",
    ),
    Instruction("max", 26, "bpu.max", ("output", "x", "y"), _VECTOR, doc="Larger, broadcast."),
    Instruction("min", 27, "bpu.min", ("output", "x", "y"), _VECTOR, doc="Smaller, broadcast."),
    Instruction(
        "rescale", 28, "bpu.rescale", ("output", "x"), _VECTOR,
        (_MULTIPLIER, _SHIFT, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT, _CLIP),
        doc="Change of scale and of type.",
    ),
    Instruction(
        "lut", 29, "bpu.lut", ("output", "x", "table"), _VECTOR,
        doc="table[x + 128]; si16 x interpolates between knots; beside f16 it has 65536 results.",
    ),
    Instruction(
        "prelu", 30, "bpu.prelu", ("output", "x", "slope"), _VECTOR,
        (_MULTIPLIER, _SHIFT, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT),
        doc="Per-channel slope on negative values.",
    ),
    Instruction(
        "softmax", 31, "bpu.softmax", ("output", "x", "exp_table", "reciprocal_table"), _VECTOR,
        (
            _DIM,
            _MULTIPLIER,
            _SHIFT,
            _OUTPUT_ZERO_POINT,
            Parameter("exp_multiplier", default=0, doc="of an si16 input's exponent"),
            Parameter("exp_shift", default=0, minimum=-62, maximum=62, doc="likewise"),
        ),
        doc="Softmax over one whole axis by two tables.",
    ),
    Instruction(
        "reduce_mean", 32, "bpu.reduce_mean", ("output", "x"), _VECTOR,
        (
            _DIMS, _KEEP_DIM, _MULTIPLIER, _SHIFT, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT,
        ),
        doc="Mean over axes.",
    ),
    Instruction(
        "reduce_sum", 33, "bpu.reduce_sum", ("output", "x"), _VECTOR,
        (
            _DIMS, _KEEP_DIM, _MULTIPLIER, _SHIFT, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT,
        ),
        doc="Sum over axes.",
    ),
    Instruction(
        "reduce_max", 34, "bpu.reduce_max", ("output", "x"), _VECTOR, (_DIMS, _KEEP_DIM),
        doc="Largest over axes.",
    ),
    Instruction(
        "reduce_min", 35, "bpu.reduce_min", ("output", "x"), _VECTOR, (_DIMS, _KEEP_DIM),
        doc="Smallest over axes.",
    ),
    Instruction(
        "compare", 36, "bpu.compare", ("output", "x", "y"), _VECTOR,
        (
            _MODE,
            Parameter("multipliers", Kind.TUPLE, ("x", "y"), None, True, doc="factor per input"),
            Parameter("zero_points", Kind.TUPLE, ("x", "y"), (0, 0), doc="zero points of inputs"),
            Parameter("values", Kind.TUPLE, ("false", "true"), (0, 1), doc="the two results"),
        ),
        doc="Compare two scaled tensors, broadcast.",
    ),
    Instruction(
        "where", 37, "bpu.where", ("output", "condition", "x", "y"), _VECTOR,
        (Parameter("condition_zero_point", default=0, doc="the condition's integer for false"),),
        doc="x where the condition holds, else y, broadcast.",
    ),
    Instruction(
        "tile", 38, "bpu.tile", ("output", "x"), _VECTOR,
        (Parameter(
            "multiplies", Kind.LIST, default=None, required=True, minimum=1, maximum=_EXTENT_MAX,
            doc="repetitions per axis",
        ),),
        doc="Repeat along axes.",
    ),
    Instruction(
        "layernorm", 39, "bpu.layernorm", ("output", "x", "affine", "rsqrt_table"), _VECTOR,
        (
            Parameter("shift", default=None, required=True, minimum=8, maximum=62, doc="of t * m"),
            Parameter(
                "epsilon", default=0, minimum=0, maximum=1 << 62, doc="added to N^2 * variance"
            ),
            Parameter("center", Kind.BOOL, default=True, doc="take the mean off"),
            _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT,
        ),
        doc="Layer norm of rows of the last axis, by exact sums and a table of inverse roots.",
    ),
    Instruction(
        "max_pool", 40, "bpu.max_pool", ("output", "x"), _VECTOR,
        (_KERNEL, _STRIDE, _PAD, _DILATION),
        doc="Maximum of each window; padding never wins.",
    ),
    Instruction(
        "avg_pool", 41, "bpu.avg_pool", ("output", "x", "qpp"), _VECTOR,
        (
            _KERNEL, _STRIDE, _PAD, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT,
            _COUNT_INCLUDE_PAD,
        ),
        doc="Mean of each window; qpp by the count of valid elements.",
    ),
    Instruction(
        "resize2d", 42, "bpu.resize2d", ("output", "x"), _VECTOR,
        (
            Parameter("size", Kind.TUPLE, ("h", "w"), None, True, 1, _EXTENT_MAX, doc="output"),
            Parameter(
                "step", Kind.TUPLE, ("h", "w"), None, True, -_COORDINATE_MAX, _COORDINATE_MAX,
                doc="source step per output element, fixed point",
            ),
            Parameter(
                "initial_offset", Kind.TUPLE, ("h", "w"), (0, 0), False,
                -_COORDINATE_MAX, _COORDINATE_MAX,
                doc="source position of output element 0, fixed point",
            ),
            Parameter("fraction_bits", default=32, minimum=0, maximum=48, doc="of step and offset"),
            Parameter("mode", Kind.CHOICE, default="nearest", choices=("nearest", "bilinear")),
            Parameter(
                "nearest_mode", Kind.CHOICE, default="round_prefer_floor",
                choices=("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
            ),
            _pair("out_offset", (0, 0), "absolute output index of this tile", minimum=0),
            _pair("in_offset", (0, 0), "absolute input index of this tile", minimum=0),
            Parameter(
                "in_size", Kind.TUPLE, ("h", "w"), None, minimum=1, maximum=_EXTENT_MAX,
                doc="size of the whole input; absent: x is the whole",
            ),
        ),
        doc="Resize by source positions computed from the absolute output index.",
    ),
    Instruction(
        "grid_sample", 43, "bpu.grid_sample", ("output", "x", "grid"), _VECTOR,
        (
            Parameter(
                "step", Kind.TUPLE, ("h", "w"), None, True, -_COORDINATE_MAX, _COORDINATE_MAX,
                doc="source elements per step of the grid, fixed point",
            ),
            Parameter(
                "initial_offset", Kind.TUPLE, ("h", "w"), None, True,
                -_COORDINATE_MAX, _COORDINATE_MAX, doc="source position of 0, fixed point",
            ),
            Parameter("fraction_bits", default=32, minimum=0, maximum=48, doc="of step and offset"),
            Parameter("mode", Kind.CHOICE, default="bilinear", choices=("nearest", "bilinear")),
            Parameter(
                "expansion_mode", Kind.CHOICE, default="constant", choices=("constant", "border"),
            ),
            Parameter("pad_value", default=0, doc="what lies outside, unless the border does"),
        ),
        doc="Sample a whole image where the (column, row) pairs of grid say.",
    ),
    Instruction(
        "roi_resize", 44, "bpu.roi_resize", ("output", "roi", "y", "uv?"), (Engine.LOAD,),
        (
            Parameter(
                "size", Kind.TUPLE, ("h", "w"), None, True, 1, _EXTENT_MAX, doc="of all tiles"
            ),
            Parameter("mode", Kind.CHOICE, default=None, required=True, choices=("NV12", "GRAY")),
            Parameter(
                "interpolate_mode", Kind.CHOICE, default="bilinear", choices=("nearest", "bilinear")
            ),
            Parameter(
                "expansion_mode", Kind.CHOICE, default="constant", choices=("constant", "border"),
            ),
            Parameter(
                "pad_value", Kind.TUPLE, ("y", "uv"), (0, -128), minimum=-128, maximum=255,
                doc="bytes beyond the image, modulo 256",
            ),
            _pair("out_offset", (0, 0), "absolute index of this tile's first result", minimum=0),
            Parameter(
                "out_size", Kind.TUPLE, ("h", "w"), None, minimum=1, maximum=_EXTENT_MAX,
                doc="rows and columns of this tile; absent: it is the whole",
            ),
        ),
        doc="Crop and resize an image in DDR, an input whose size each run gives, by the roi on"
        " chip, less 128.",
    ),
    Instruction(
        "quantize", 48, "qnt.quantize", ("output", "x"), _VECTOR,
        (
            Parameter("scale", Kind.FLOAT32, default=None, required=True, doc="step of the output"),
            Parameter("zero_point", default=0),
        ),
        doc="Float to integer.",
    ),
    Instruction(
        "dequantize", 49, "qnt.dequantize", ("output", "x", "scale"), _VECTOR,
        (Parameter("zero_point", default=0),),
        doc="Integer to float; scale of one element, or one per channel (last axis).",
    ),
    Instruction(
        "index", 50, "bpu.index", ("output", "x", "index"), _VECTOR,
        (replace(_DIM, default=0),),
        doc="Parts of x by indices along one axis; beyond it, the nearest.",
    ),
    Instruction(
        "gather_elements", 51, "bpu.gather_elements", ("output", "x", "index"), _VECTOR,
        (replace(_DIM, default=0),),
        doc="One element of x per index, along one axis.",
    ),
    Instruction(
        "reduce_argmax", 52, "bpu.reduce_argmax", ("output", "x"), _VECTOR,
        (_DIMS, replace(_KEEP_DIM, default=True)),
        doc="Index of the first greatest along one axis.",
    ),
    Instruction(
        "reduce_argmin", 53, "bpu.reduce_argmin", ("output", "x"), _VECTOR,
        (_DIMS, replace(_KEEP_DIM, default=True)),
        doc="Index of the first least along one axis.",
    ),
    Instruction(
        "topk", 54, "bpu.topk", ("output", "x"), _VECTOR,
        (
            Parameter("k", default=None, required=True, minimum=1, maximum=_EXTENT_MAX),
            _DIM,
            Parameter("largest", Kind.BOOL, default=True, doc="the greatest, else the least"),
        ),
        doc="Indices of the best along one axis, best first, the lower of equals first.",
    ),
    Instruction("float_add", 64, "bpu.float_add", ("output", "x", "y"), _VECTOR, doc="Sum of f16."),
    Instruction(
        "float_sub", 65, "bpu.float_sub", ("output", "x", "y"), _VECTOR, doc="Difference of f16.",
    ),
    Instruction(
        "float_mul", 66, "bpu.float_mul", ("output", "x", "y"), _VECTOR, doc="Product of f16.",
    ),
    Instruction(
        "float_compare", 67, "bpu.float_compare", ("output", "x", "y"), _VECTOR, (_MODE,),
        doc="1 where the comparison of f16 holds, else 0.",
    ),
    Instruction(
        "float_prelu", 68, "bpu.float_prelu", ("output", "x", "slope"), _VECTOR,
        doc="Per-channel slope on negative f16.",
    ),
    Instruction(
        "float_softmax", 69, "bpu.float_softmax", ("output", "x"), _VECTOR, (_DIM,),
        doc="Softmax of f16 over one whole axis.",
    ),
    Instruction(
        "float_layernorm", 70, "bpu.float_layernorm", ("output", "x", "affine"), _VECTOR,
        (
            Parameter("epsilon", Kind.FLOAT32, default=0.0, doc="added to the variance"),
            Parameter("center", Kind.BOOL, default=True, doc="take the mean off"),
        ),
        doc="Layer norm of f16 rows of the last axis; affine f32, columns weight and bias.",
    ),
    Instruction(
        "float_reduce_sum", 71, "bpu.float_reduce_sum", ("output", "x"), _VECTOR,
        (_DIMS, _KEEP_DIM), doc="Sum of f16 over axes, by a fixed tree.",
    ),
    Instruction(
        "float_reduce_mean", 72, "bpu.float_reduce_mean", ("output", "x"), _VECTOR,
        (_DIMS, _KEEP_DIM), doc="Mean of f16 over axes, by a fixed tree.",
    ),
    Instruction(
        "float_avg_pool", 73, "bpu.float_avg_pool", ("output", "x"), _VECTOR,
        (_KERNEL, _STRIDE, _PAD, _COUNT_INCLUDE_PAD), doc="Mean of each window of f16.",
    ),
)  # fmt: skip

_TWINS = {
    "float_reduce_max": ("reduce_max", 80),
    "float_reduce_min": ("reduce_min", 81),
    "float_max_pool": ("max_pool", 82),
    "float_resize2d": ("resize2d", 83),
    "float_grid_sample": ("grid_sample", 84),
}
"""What an engine of integers does, on the one that has float16: its opcode and its number."""


def _twins() -> Iterator[Instruction]:
    by_mnemonic = {row.mnemonic: row for row in _ROWS}
    for mnemonic, (same, number) in _TWINS.items():
        row = by_mnemonic[same]
        yield replace(row, mnemonic=mnemonic, number=number, doc=f"{row.doc[:-1]}, of f16.")


INSTRUCTIONS: tuple[Instruction, ...] = (*_ROWS, *_twins())

BY_NUMBER: dict[int, Instruction] = {row.number: row for row in INSTRUCTIONS}
BY_MNEMONIC: dict[str, Instruction] = {row.mnemonic: row for row in INSTRUCTIONS}


def instruction(opcode: str | int) -> Instruction:
    """The row of a mnemonic or opcode number. Raises HbirError when there is none."""
    row = BY_MNEMONIC.get(opcode) if isinstance(opcode, str) else BY_NUMBER.get(opcode)
    if row is None:
        raise HbirError(f"there is no instruction {opcode!r}")
    return row
