"""Quantized modules for tests of the backend: a builder, and random networks from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from hbir.backend.march import load_march
from hbir.dialects.bpu.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.bpu.comparison import MODES, CompareOp, WhereOp
from hbir.dialects.bpu.conv import Conv2dOp
from hbir.dialects.bpu.elementwise import AddOp, MaxOp, MulOp, PreluOp
from hbir.dialects.bpu.float16 import (
    FloatAddOp,
    FloatAvgPoolOp,
    FloatCompareOp,
    FloatLayernormOp,
    FloatMulOp,
    FloatPreluOp,
    FloatReduceMeanOp,
    FloatReduceSumOp,
    FloatSoftmaxOp,
    FloatSubOp,
)
from hbir.dialects.bpu.grid_sample import GridSampleOp
from hbir.dialects.bpu.index import GatherElementsOp, IndexOp
from hbir.dialects.bpu.layernorm import LayernormOp
from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.bpu.matmul import MatmulOp
from hbir.dialects.bpu.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.bpu.pool import AvgPoolOp, MaxPoolOp
from hbir.dialects.bpu.reduce import ReduceMaxOp, ReduceMeanOp, ReduceMinOp, ReduceSumOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.bpu.resize import Resize2dOp
from hbir.dialects.bpu.softmax import SoftmaxOp
from hbir.dialects.bpu.topk import TopkOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import make_call
from hbir.dialects.qnt import DequantizeOp, QuantizeOp
from hbir.ir.context import make_context
from hbir.ir.function import finish_function, make_function
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import F16, F32, SI8, SI16, SI32, dtype_of, element_of, shape_of, tensor
from hbir.kernels.lut_tables import segmented_table
from hbir.kernels.norm_parameters import layernorm_parameters, softmax_parameters
from hbir.kernels.parameters import avg_pool_qpp, resize_parameters
from hbir.kernels.sample_parameters import grid_sample_parameters
from hbir.module import Module

Input = tuple[Sequence[int], Attribute] | TensorType[Attribute]


class Network:
    """A quantized module under construction, with random parameters drawn from a seed."""

    def __init__(self, inputs: Mapping[str, Input], seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.context = make_context()
        types = [(n, tensor(*t) if isinstance(t, tuple) else t) for n, t in inputs.items()]
        self.function: FuncOp
        self.function, self.block = make_function("main", types)
        self.inputs = list(self.block.args)
        self.count = 0
        self.sorts = False
        """Whether random ops may sort, which not every march can."""
        self.floats = False
        """Whether random ops may compute in float16, likewise."""

    def finish(self, outputs: dict[str, SSAValue], march: str = "nash-e") -> Module:
        finish_function(self.function, list(outputs.items()))
        op = ModuleOp([self.function])
        op.attributes["hbdk.target"] = StringAttr(march)
        module = Module(op, self.context)
        module.level = "quantized"
        module.verify()
        return module

    def add(self, cls: type[TensorOp], *operands: SSAValue, **properties: Any) -> SSAValue:
        self.count += 1
        name = f"{cls.name.partition('.')[2]}_{self.count}"
        op = cls.make(*operands, origin=Origin(name), **properties)
        self.block.add_op(op)
        return op.results[0]

    def constant(self, array: np.ndarray[Any, Any]) -> SSAValue:
        op = ConstantOp.make(values=self.context.weights.attribute(array))
        self.block.add_op(op)
        return op.results[0]

    def integers(self, shape: Sequence[int], dtype: Any = np.int8) -> np.ndarray[Any, Any]:
        info = np.iinfo(dtype)
        return self.random.integers(info.min, info.max, tuple(shape), dtype, endpoint=True)

    def element(self) -> Attribute:
        """The element type of a result: si16 now and then."""
        return SI16 if self.random.random() < 0.25 else SI8

    def quantize(self, x: SSAValue, element: Attribute = SI8) -> SSAValue:
        return self.add(QuantizeOp, x, scale=0.05, zero_point=3, element=element)

    def as_si8(self, x: SSAValue) -> SSAValue:
        if element_of(x) == SI8:
            return x
        return self.add(RescaleOp, x, multiplier=18000, shift=24, input_zero_point=3, element=SI8)

    def dequantize(self, x: SSAValue) -> SSAValue:
        channels = shape_of(x)[-1]
        scale = self.random.uniform(0.01, 0.1, channels).astype(np.float32)
        return self.add(DequantizeOp, x, self.constant(scale))

    def conv(
        self,
        x: SSAValue,
        cout: int,
        kernel: int = 3,
        residual: SSAValue | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> SSAValue:
        element = self.element() if element is None else element
        w_element = self.element()
        groups = properties.get("group_num", 1)
        cin = shape_of(x)[-1] // groups
        weights = self.integers((cout, kernel, kernel, cin), dtype_of(tensor((), w_element)))
        columns = [
            self.random.integers(-2000, 2000, cout),
            self.random.integers(1 << 14, 1 << 15, cout),
        ]
        wide = [e == SI16 for e in (element_of(x), w_element, element)]
        columns.append(np.full(cout, 22 + 8 * (wide[0] + wide[1] - wide[2])))
        if residual is not None:
            columns += [self.random.integers(1 << 14, 1 << 15, cout), np.full(cout, 8)]
        qpp = np.stack(columns, axis=1).astype(np.int32)
        operands = [x, self.constant(weights), self.constant(qpp)]
        operands += [residual] if residual is not None else []
        return self.add(Conv2dOp, *operands, element=element, **properties)

    def add_values(self, x: SSAValue, y: SSAValue) -> SSAValue:
        return self.add(
            AddOp, x, y, multipliers=[16400, -20000], shift=15, bias=77, element=self.element()
        )

    def mul(self, x: SSAValue, y: SSAValue) -> SSAValue:
        return self.add(
            MulOp, x, y, multiplier=17000, shift=21, zero_points=[1, -2],
            element=self.element(),
        )  # fmt: skip

    def lut(self, x: SSAValue) -> SSAValue:
        element = self.element()
        if element_of(x) == SI8:
            return self.add(
                LutOp, x, self.constant(self.integers((256,), dtype_of(tensor((), element))))
            )
        amplitude = 30000 if element == SI16 else 120
        table = segmented_table(lambda codes: amplitude * np.sin(codes / 5000))
        return self.add(LutOp, x, self.constant(table), element=element)

    def avg_pool(self, x: SSAValue, kernel: int, count_include_pad: bool, **more: Any) -> SSAValue:
        qpp = avg_pool_qpp(0.1, 0.05, kernel * kernel, exclude_pad=not count_include_pad)
        return self.add(
            AvgPoolOp, x, self.constant(np.asarray(qpp, np.int32)), kernel=[kernel, kernel],
            count_include_pad=count_include_pad, input_zero_point=2, element=self.element(), **more,
        )  # fmt: skip

    def mean(self, x: SSAValue, dims: Sequence[int], keep: bool) -> SSAValue:
        return self.add(
            ReduceMeanOp, x, dims=list(dims), multiplier=20000, shift=18, keep_dim=keep,
            input_zero_point=-1, element=self.element(),
        )  # fmt: skip

    def sum(self, x: SSAValue, dims: Sequence[int], keep: bool) -> SSAValue:
        return self.add(
            ReduceSumOp, x, dims=list(dims), multiplier=20000, shift=15, keep_dim=keep,
            input_zero_point=-1, output_zero_point=2, element=self.element(),
        )  # fmt: skip

    def compare(self, x: SSAValue, y: SSAValue) -> SSAValue:
        mode = MODES[int(self.random.integers(len(MODES)))]
        return self.add(
            CompareOp, x, y, mode=mode, multipliers=[20000, 31000], zero_points=[1, -2],
            values=[-3, 125], element=self.element(),
        )  # fmt: skip

    def resize(self, x: SSAValue, size: Sequence[int], mode: str) -> SSAValue:
        shape = shape_of(x)
        step = [shape[1] / size[0], shape[2] / size[1]]
        offset = [0.5 * s - 0.5 for s in step]
        return self.add(
            Resize2dOp, x, size=list(size), mode=mode, **resize_parameters(step, offset, mode=mode)
        )

    def grid_sample(self, x: SSAValue, grid: SSAValue, mode: str, border: bool) -> SSAValue:
        parameters: dict[str, Any] = grid_sample_parameters(
            1.5 / (1 << 15), 0, shape_of(x)[1:3], align_corner=border
        )
        return self.add(
            GridSampleOp, x, grid, mode=mode,
            expansion_mode="border" if border else "constant", pad_value=4, **parameters,
        )  # fmt: skip

    def softmax(self, x: SSAValue, dim: int) -> SSAValue:
        bits = 8 * dtype_of(x).itemsize
        scale = 0.1 if bits == 8 else 4e-4
        p = softmax_parameters(scale, 1 / 127, shape_of(x)[dim], input_bits=bits)
        tables = [self.constant(np.asarray(t)) for t in (p.exp_table, p.reciprocal_table)]
        return self.add(
            SoftmaxOp, x, *tables, dim=dim, multiplier=p.multiplier, shift=p.shift,
            exp_multiplier=p.exp_multiplier, exp_shift=p.exp_shift, element=self.element(),
        )  # fmt: skip

    def layernorm(self, x: SSAValue, center: bool) -> SSAValue:
        channels = shape_of(x)[-1]
        weight, bias = self.random.normal(size=(2, channels))
        element = self.element()
        scale = 2e-4 if element == SI16 else 0.05
        p = layernorm_parameters(0.1, scale, channels, eps=1e-3, weight=weight, bias=bias)
        tables = [self.constant(np.asarray(t)) for t in (p.affine, p.rsqrt_table)]
        return self.add(
            LayernormOp, x, *tables, shift=p.shift, epsilon=p.epsilon, center=center,
            input_zero_point=0 if center else 3, output_zero_point=-2, element=element,
        )  # fmt: skip

    def matmul(self, x: SSAValue, y: SSAValue) -> SSAValue:
        element = self.element()
        wide = [e == SI16 for e in (element_of(x), element_of(y), element)]
        shift = 25 + 8 * (wide[0] + wide[1] - wide[2])
        return self.add(
            MatmulOp, x, y, multiplier=20000, shift=shift, lhs_zero_point=3,
            output_zero_point=-5, element=element,
        )  # fmt: skip

    def float_conv(self, x: SSAValue, cout: int, residual: SSAValue | None = None) -> SSAValue:
        """A convolution whose result is float16, as its residual may be."""
        weights = self.integers((cout, 3, 3, shape_of(x)[-1]))
        columns = [
            self.random.integers(-2000, 2000, cout),
            self.random.integers(1 << 14, 1 << 15, cout),
            np.full(cout, 30 + 8 * (element_of(x) == SI16)),
        ]
        qpp = self.constant(np.stack(columns, axis=1).astype(np.int32))
        operands = [x, self.constant(weights), qpp, *([] if residual is None else [residual])]
        return self.add(Conv2dOp, *operands, pad=[1] * 4, pad_value=3, clip=[-9, 90], element=F16)

    def numbers(self, shape: Sequence[int]) -> SSAValue:
        """A constant of float16."""
        return self.constant(self.random.normal(0, 2, tuple(shape)).astype(np.float16))

    def table(self, x: SSAValue, element: Attribute) -> SSAValue:
        """A table of all codes, where x or the result is float16."""
        size = 256 if element_of(x) == SI8 else 1 << 16
        if element == F16:
            return self.add(LutOp, x, self.numbers((size,)))
        return self.add(
            LutOp, x, self.constant(self.integers((size,), dtype_of(tensor((), element))))
        )

    def cpu_relu(self, x: SSAValue) -> SSAValue:
        op = make_call(
            "native::hbir.relu", [x], [x.type], {}, reason="a test", origin=Origin("cpu")
        )
        self.block.add_op(op)
        return op.results[0]


def feeds(module: Module, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Random inputs for a module's first function."""
    random = np.random.default_rng(seed)
    result: dict[str, np.ndarray[Any, Any]] = {}
    for port in module.functions[0].flatten_inputs:
        if port.type.np_dtype.kind == "f":
            result[port.name] = random.normal(0, 3, port.type.shape).astype(port.type.np_dtype)
        else:
            info = np.iinfo(port.type.np_dtype)
            result[port.name] = random.integers(
                info.min, info.max, port.type.shape, port.type.np_dtype, endpoint=True
            )
    return result


def random_network(seed: int, march: str = "nash-e") -> Module:
    """A small random network that has most op kinds, odd extents, and a CPU call now and then."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 3))
    h, w, c = (int(v) for v in random.integers(4, 40, 3))
    net = Network({"image": ((n, h, w, c), F32)}, seed)
    net.sorts = "topk" in load_march(march).opcode_engines
    net.floats = load_march(march).has_float16
    values = [net.quantize(net.inputs[0], SI16 if seed % 7 == 0 else SI8)]
    for _ in range(int(random.integers(3, 9))):
        values.append(
            _random_op(
                net, values[int(random.integers(max(0, len(values) - 2), len(values)))], random
            )
        )
    last = values[-1]
    outputs = {"last": net.dequantize(last), "middle": values[len(values) // 2]}
    if random.random() < 0.3:
        outputs["again"] = values[len(values) // 2]
    return net.finish(outputs, march)


def _random_op(  # noqa: C901 (one case per kind of op)
    net: Network, x: SSAValue, random: np.random.Generator
) -> SSAValue:
    def draw(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    shape = shape_of(x)
    if element_of(x) == F16 or (net.floats and not draw(0, 2)):
        return _random_float_op(net, x, draw)
    if element_of(x) != SI8 and not draw(0, 2):
        return net.as_si8(x)
    if len(shape) != 4:
        return net.lut(x)
    n, h, w, c = shape
    match draw(0, 28):
        case 0:
            k = draw(1, 3)
            pad = [draw(0, k), draw(0, k - 1), draw(0, k), draw(0, k - 1)]
            if h + pad[0] + pad[2] < k or w + pad[1] + pad[3] < k:
                pad = [k, k, k, k]
            return net.conv(
                x, draw(1, 70), k, stride=[draw(1, 3), draw(1, 2)], pad=pad, pad_value=5,
                clip=[-100, 90] if draw(0, 1) else None, output_zero_point=-4,
            )  # fmt: skip
        case 1:
            return net.conv(x, c, 3, group_num=c, pad=[1, 1, 1, 1])
        case 2:
            y = net.conv(x, c, 1)
            return net.conv(y, c, 3, residual=x, pad=[1, 1, 1, 1])
        case 3:
            return net.conv(
                x, draw(1, 20), 3, input_dilation=[2, 3], pad=[draw(0, 2), 1, 2, 2], pad_value=-7
            )
        case 4:
            groups = max(g for g in (1, 2, 3, 4, 5) if c % g == 0)
            return net.conv(
                x, groups * draw(1, 9), 3, group_num=groups, pad=[2, 2, 2, 2], dilation=[2, 2]
            )
        case 5:
            return net.add_values(x, net.lut(x))
        case 6:
            return net.mul(x, net.mean(x, [1, 2], True))
        case 7:
            return net.add(MaxPoolOp, x, kernel=[3, 2], stride=[2, 2], pad=[1, 1, 2, 1])
        case 8:
            return net.avg_pool(x, 3, bool(draw(0, 1)), stride=[draw(1, 2), 1], pad=[1, 1, 1, 1])
        case 9:
            return net.resize(x, (draw(1, 50), draw(1, 50)), "bilinear")
        case 10:
            return net.resize(x, (draw(1, 50), draw(1, 50)), "nearest")
        case 11:
            return net.softmax(x, draw(1, 3))
        case 12:
            x = net.as_si8(x)
            return net.add(ConcatOp, x, net.as_si8(net.lut(x)), x, dim=draw(1, 3))
        case 13:
            begin = [0, draw(0, h - 1), draw(0, w - 1), draw(0, c - 1)]
            step = [1, draw(1, 2), 1, draw(1, 3)]
            return net.add(SliceOp, x, begin=begin, end=[n, h, w, c], step=step)
        case 14:
            dims = [0, *(int(d) for d in 1 + random.permutation(3))]
            return net.add(TransposeOp, x, dims=dims)
        case 15:
            end = [0, draw(0, 2), 0, draw(0, 3)]
            return net.add(
                PadOp, x, begin=[0, draw(0, 3), draw(0, 2), draw(0, 2)], end=end, pad_value=9
            )
        case 16:
            flat = net.add(ReshapeOp, x, shape=[n, h * w, c])
            return net.add(ReshapeOp, net.lut(flat), shape=[n, w, h, c])
        case 17:
            return net.mul(x, net.sum(x, [draw(1, 3)], True))
        case 18:
            extreme = ReduceMaxOp if draw(0, 1) else ReduceMinOp
            dims = [draw(1, 2), 3][draw(0, 1) :]
            return net.add_values(x, net.add(extreme, x, dims=dims, keep_dim=True))
        case 19:
            row = net.add(SliceOp, x, begin=[0, 0, 0, 0], end=[n, 1, w, c], step=[1] * 4)
            return net.add(WhereOp, net.compare(x, row), x, row, condition_zero_point=-3)
        case 20:
            part = net.add(
                SliceOp, x, begin=[0, 0, 0, 0], end=[n, 1, min(w, 3), min(c, 5)], step=[1] * 4
            )
            return net.add(TileOp, part, multiplies=[1, draw(1, 9), draw(1, 3), draw(1, 4)])
        case 21:
            return net.layernorm(x, bool(draw(0, 1)))
        case 22:
            y = net.add(TransposeOp, net.lut(x), dims=[0, 1, 3, 2]) if w == c else net.lut(x)
            return net.matmul(x, y)
        case 23:
            part = net.add(SliceOp, x, begin=[0, 0, 0, 0], end=[n, 1, w, c], step=[1] * 4)
            return net.matmul(x, part) if draw(0, 1) else net.matmul(part, x)
        case 24:
            kind, axis = (ReduceArgmaxOp, ReduceArgminOp)[draw(0, 1)], draw(1, 3)
            places = net.add(kind, x, dims=[axis])
            if net.sorts and draw(0, 1):
                count, largest = draw(1, shape[axis]), bool(draw(0, 1))
                places = net.add(TopkOp, x, k=count, dim=axis, largest=largest)
            return net.add(GatherElementsOp, x, places, dim=axis)
        case 25:
            axis = draw(1, 3)
            indices = net.random.integers(-shape[axis], shape[axis] + 3, draw(1, 30))
            return net.add(IndexOp, x, net.constant(indices), dim=axis)
        case 26 | 27:
            grid = net.conv(x, 2, 1, element=SI16)
            return net.grid_sample(x, grid, ["nearest", "bilinear"][draw(0, 1)], bool(draw(0, 1)))
        case _:
            slope = net.random.integers(-(1 << 14), 1 << 14, c).astype(np.int32)
            y = net.add(
                PreluOp, x, net.constant(slope), multiplier=20000, shift=15, input_zero_point=2,
                output_zero_point=1, element=element_of(x),
            )  # fmt: skip
            y = net.add(MaxOp, y, x)
            if draw(0, 1):
                return y
            return net.quantize(net.cpu_relu(net.dequantize(y)))


def _random_float_op(  # noqa: C901 (one case per kind of op)
    net: Network, x: SSAValue, draw: Callable[[int, int], int]
) -> SSAValue:
    """From integers to float16, within it, or back."""
    shape = shape_of(x)
    if element_of(x) != F16:
        if len(shape) == 4 and draw(0, 1):
            return net.float_conv(x, draw(1, 20))
        if draw(0, 1):
            return net.table(x, F16)
        scale = net.constant(np.array([0.07], np.float32))
        return net.add(DequantizeOp, x, scale, zero_point=3, element=F16)
    if len(shape) != 4:
        return net.table(x, net.element())
    n, _, w, c = shape
    axis = draw(1, 3)
    match draw(0, 17):
        case 0:
            return net.add(QuantizeOp, x, scale=0.03, zero_point=-5, element=net.element())
        case 1:
            return net.table(x, [F16, SI8, SI16][draw(0, 2)])
        case 2:
            return net.add(FloatAddOp, x, net.add(FloatMulOp, x, net.numbers((c,))))
        case 3:
            mean = net.add(FloatReduceMeanOp, x, dims=[1, 2], keep_dim=True)
            return net.add(FloatSubOp, x, mean)
        case 4:
            return net.add(FloatMulOp, x, net.add(FloatReduceSumOp, x, dims=[axis], keep_dim=True))
        case 5:
            return net.add(FloatSoftmaxOp, x, dim=axis)
        case 6:
            affine = net.constant(net.random.normal(size=(c, 2)).astype(np.float32))
            return net.add(
                FloatLayernormOp, x, affine, epsilon=1e-3 * draw(0, 1), center=bool(draw(0, 1))
            )
        case 7:
            return net.add(MaxPoolOp, x, kernel=[3, 2], stride=[2, 2], pad=[1, 1, 2, 1])
        case 8:
            return net.add(
                FloatAvgPoolOp, x, kernel=[2, 3], stride=[draw(1, 2), 1], pad=[1, 2, 1, 1],
                count_include_pad=bool(draw(0, 1)),
            )  # fmt: skip
        case 9:
            return net.resize(x, (draw(1, 40), draw(1, 40)), ["nearest", "bilinear"][draw(0, 1)])
        case 10:
            extreme = ReduceMaxOp if draw(0, 1) else ReduceMinOp
            return net.add(MaxOp, x, net.add(extreme, x, dims=[axis], keep_dim=True))
        case 11:
            row = net.add(SliceOp, x, begin=[0, 0, 0, 0], end=[n, 1, w, c], step=[1] * 4)
            mode = MODES[draw(0, len(MODES) - 1)]
            condition = net.add(FloatCompareOp, x, row, mode=mode)
            return net.add(WhereOp, condition, x, row)
        case 12:
            return net.add(FloatPreluOp, x, net.numbers((c,)))
        case 13:
            return net.add(ConcatOp, x, net.table(x, F16), dim=axis)
        case 14:
            end = [0, draw(0, 2), 0, draw(0, 3)]
            return net.add(PadOp, x, begin=[0, draw(0, 3), 0, 1], end=end, pad_value=-7)
        case 15:
            return net.add(TransposeOp, x, dims=[0, 2, 3, 1])
        case 16:
            integers = net.quantize(x)
            return net.float_conv(integers, c, x)
        case _:
            grid = net.conv(net.quantize(x), 2, 1, element=SI16)
            return net.grid_sample(x, grid, ["nearest", "bilinear"][draw(0, 1)], bool(draw(0, 1)))


__all__ = ["F16", "F32", "SI8", "SI16", "SI32", "Network", "dtype_of", "feeds", "random_network"]
