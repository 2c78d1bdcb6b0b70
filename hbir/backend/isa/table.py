"""The field table: every opcode's operands and parameters, once.

A parameter is one keyword argument of the kernel of the same meaning (docs/arithmetic.md has the
formulas), flattened to signed 64-bit words: `stride` is `stride_h`, `stride_w`. To add an opcode,
append a row; to add a parameter, append it to the row's end (word positions are part of the .hbm
format, opcode numbers too).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hbir.backend.isa.enums import Engine, Flag
from hbir.errors import HbirError

MAX_RANK = 6
"""Most axes of a tensor operand."""
MAX_OPERANDS = 6

NONE = -(1 << 63)
"""The word that says that an optional parameter, or a list's element, is absent."""


class Kind(Enum):
    """How a parameter's Python value maps to words."""

    INT = "integer"
    BOOL = "boolean"
    FLOAT32 = "float32"
    """The float32's bit pattern."""
    CHOICE = "name"
    """The index of a name in `choices`."""
    TUPLE = "tuple of integers"
    """Always as many integers as `parts` names."""
    LIST = "list of integers"
    """At most MAX_RANK integers, the rest absent."""


@dataclass(frozen=True)
class Parameter:
    """One keyword argument of a kernel, and the words that encode it."""

    name: str
    kind: Kind = Kind.INT
    parts: tuple[str, ...] = ()
    """Suffixes of a tuple's words: ("h", "w")."""
    default: Any = None
    required: bool = False
    """The builder must give it; otherwise `default` stands for what isn't given."""
    minimum: int = -(1 << 31)
    maximum: int = (1 << 31) - 1
    """Range of each integer, checked when encoding and when decoding."""
    choices: tuple[str, ...] = ()
    doc: str = ""

    @property
    def optional(self) -> bool:
        """Whether None is a value of it."""
        return self.default is None and not self.required

    @property
    def words(self) -> int:
        """How many words it takes."""
        if self.kind is Kind.TUPLE:
            return len(self.parts)
        return MAX_RANK if self.kind is Kind.LIST else 1

    @property
    def word_names(self) -> tuple[str, ...]:
        """The name of each word."""
        if self.kind is Kind.TUPLE:
            return tuple(f"{self.name}_{part}" for part in self.parts)
        if self.kind is Kind.LIST:
            return tuple(f"{self.name}_{axis}" for axis in range(MAX_RANK))
        return (self.name,)

    def encode(self, value: Any) -> tuple[int, ...]:
        """The words of a Python value. Raises HbirError when it is not one of this parameter's."""
        if value is None:
            if not self.optional:
                raise HbirError(f"parameter {self.name} can't be absent")
            return (NONE,) * self.words
        match self.kind:
            case Kind.BOOL:
                return (int(bool(value)),)
            case Kind.FLOAT32:
                return (_float_bits(float(value)),)
            case Kind.CHOICE:
                return (self._choice_index(value),)
            case Kind.INT:
                return (self._checked(int(value)),)
            case Kind.TUPLE:
                values = tuple(self._checked(int(v)) for v in value)
                if len(values) != len(self.parts):
                    raise HbirError(
                        f"parameter {self.name} takes {len(self.parts)} integers, got {len(values)}"
                    )
                return values
            case Kind.LIST:
                values = tuple(self._checked(int(v)) for v in value)
                if len(values) > MAX_RANK:
                    raise HbirError(f"parameter {self.name} takes at most {MAX_RANK} integers")
                return values + (NONE,) * (MAX_RANK - len(values))

    def decode(self, words: tuple[int, ...]) -> Any:
        """The Python value of its words. Raises HbirError when they encode none."""
        if words[0] == NONE and self.optional:
            return None
        match self.kind:
            case Kind.BOOL:
                if words[0] not in (0, 1):
                    raise HbirError(f"parameter {self.name} is {words[0]}, expected 0 or 1")
                return bool(words[0])
            case Kind.FLOAT32:
                return _float_of_bits(self.name, words[0])
            case Kind.CHOICE:
                if not 0 <= words[0] < len(self.choices):
                    raise HbirError(
                        f"parameter {self.name} is {words[0]}, expected below {len(self.choices)}"
                    )
                return self.choices[words[0]]
            case Kind.INT:
                return self._checked(words[0])
            case Kind.TUPLE:
                return tuple(self._checked(word) for word in words)
            case Kind.LIST:
                count = words.index(NONE) if NONE in words else len(words)
                return tuple(self._checked(word) for word in words[:count])

    def _choice_index(self, value: Any) -> int:
        if value not in self.choices:
            raise HbirError(
                f"parameter {self.name} is {value!r}, expected one of {', '.join(self.choices)}"
            )
        return self.choices.index(value)

    def _checked(self, value: int) -> int:
        if not self.minimum <= value <= self.maximum:
            raise HbirError(
                f"parameter {self.name} is {value}, expected {self.minimum}..{self.maximum}"
            )
        return value


def _float_bits(value: float) -> int:
    return struct.unpack("<I", struct.pack("<f", value))[0]


def _float_of_bits(name: str, word: int) -> float:
    if not 0 <= word < 1 << 32:
        raise HbirError(f"parameter {name} is {word}, expected the 32 bits of a float")
    return struct.unpack("<f", struct.pack("<I", word))[0]


@dataclass(frozen=True)
class Instruction:
    """One row of the table."""

    mnemonic: str
    number: int
    kernel: str
    """Name in the kernel table; empty for the moves, which the machine does itself."""
    operands: tuple[str, ...]
    """Written ones first, then the kernel's array arguments in their order; `?` marks those that
    may be absent."""
    engines: tuple[Engine, ...]
    """Engines whose queues may hold it."""
    parameters: tuple[Parameter, ...] = ()
    default_flags: Flag = Flag.NONE
    allowed_flags: Flag = Flag.NONE
    doc: str = ""
    by_name: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter], compare=False)
    word_count: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {p.name: p for p in self.parameters})
        object.__setattr__(self, "word_count", sum(p.words for p in self.parameters))
        if len(self.operands) > MAX_OPERANDS:
            raise ValueError(f"{self.mnemonic} has more than {MAX_OPERANDS} operands")

    def encode(self, params: Mapping[str, Any]) -> tuple[int, ...]:
        """The words of keyword arguments. Raises HbirError naming one that doesn't fit."""
        words: list[int] = []
        given = 0
        for parameter in self.parameters:
            if parameter.name in params:
                given += 1
                value = params[parameter.name]
            elif parameter.required:
                raise HbirError(f"{self.mnemonic} needs parameter {parameter.name}")
            else:
                value = parameter.default
            words += parameter.encode(value)
        if given != len(params):
            unknown = ", ".join(k for k in params if k not in self.by_name)
            raise HbirError(f"{self.mnemonic} has no parameter {unknown}")
        return tuple(words)

    def decode(self, words: tuple[int, ...]) -> dict[str, Any]:
        """The keyword arguments of `word_count` words. Raises HbirError for words out of range."""
        params: dict[str, Any] = {}
        at = 0
        for parameter in self.parameters:
            params[parameter.name] = parameter.decode(words[at : at + parameter.words])
            at += parameter.words
        return params

    def operand_index(self, name: str) -> int:
        """The position of an operand by its name."""
        return [o.rstrip("?") for o in self.operands].index(name)


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

_DIMS = Parameter(
    "dims", Kind.LIST, default=None, required=True, minimum=-MAX_RANK, maximum=MAX_RANK - 1,
    doc="axes reduced",
)  # fmt: skip
_KEEP_DIM = Parameter("keep_dim", Kind.BOOL, default=False, doc="reduced axes stay, as 1")

_VECTOR = (Engine.VAE, Engine.AAE, Engine.TRANS, Engine.VPU, Engine.SPU)
"""The march file says which of them runs an opcode (`[opcodes]`)."""

INSTRUCTIONS: tuple[Instruction, ...] = (
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
        doc="table[x + 128]; a 16-bit x interpolates between the knots of a segment of the table.",
    ),
    Instruction(
        "prelu", 30, "bpu.prelu", ("output", "x", "slope"), _VECTOR,
        (_MULTIPLIER, _SHIFT, _INPUT_ZERO_POINT, _OUTPUT_ZERO_POINT),
        doc="Per-channel slope on negative values.",
    ),
    Instruction(
        "softmax", 31, "bpu.softmax", ("output", "x", "exp_table", "reciprocal_table"), _VECTOR,
        (
            Parameter("dim", default=-1, minimum=-MAX_RANK, maximum=MAX_RANK - 1, doc="axis"),
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
            Parameter(
                "mode", Kind.CHOICE, default=None, required=True,
                choices=("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
            ),
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
            Parameter("count_include_pad", Kind.BOOL, default=True, doc="divide by whole windows"),
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
)  # fmt: skip

BY_NUMBER: dict[int, Instruction] = {row.number: row for row in INSTRUCTIONS}
BY_MNEMONIC: dict[str, Instruction] = {row.mnemonic: row for row in INSTRUCTIONS}


def instruction(opcode: str | int) -> Instruction:
    """The row of a mnemonic or opcode number. Raises HbirError when there is none."""
    row = BY_MNEMONIC.get(opcode) if isinstance(opcode, str) else BY_NUMBER.get(opcode)
    if row is None:
        raise HbirError(f"there is no instruction {opcode!r}")
    return row
