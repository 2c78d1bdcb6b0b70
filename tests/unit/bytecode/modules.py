"""Modules to try bytecode on: those of the FileCheck tests, and what they don't have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path

from xdsl.dialects.arith import Arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.printer import Printer

from hbir.bytecode import read_bytecode, write_bytecode
from hbir.cli.inputs import split_text
from hbir.errors import HbirError
from hbir.ir.context import HbirContext, make_context
from hbir.ir.text import parse_module
from hbir.ir.weights import WeightStore

FILECHECK = Path(__file__).parents[2] / "filecheck"


def context() -> HbirContext:
    """hbir's dialects, arith, and ops of any other dialect."""
    ctx = make_context(allow_unregistered=True)
    ctx.load_dialect(Arith)
    return ctx


def parse(text: str, ctx: HbirContext | None = None) -> ModuleOp:
    """The module of a text."""
    return parse_module(text, ctx or context(), "test.mlir")


def write(module: Operation, weights: WeightStore | None = None) -> bytes:
    """The bytecode of a module; a constant without data stays without."""
    store = weights or WeightStore()
    return b"".join(write_bytecode(module, lambda h: store.blob(h) if h in store else None))


def read(data: bytes, ctx: HbirContext | None = None) -> ModuleOp:
    """The module of bytecode."""
    return read_bytecode(data, ctx or context()).module


def generic_text(module: Operation) -> str:
    """xDSL's own generic text with locations."""
    stream = StringIO()
    Printer(stream, print_generic_format=True, print_debuginfo=True).print_op(module)
    return stream.getvalue()


@cache
def filecheck_texts() -> tuple[tuple[str, str], ...]:
    """Every text of the FileCheck tests, `file:number` first, whether it parses or not."""
    return tuple(
        (f"{path.relative_to(FILECHECK)}:{number}", text)
        for path in sorted(FILECHECK.rglob("*.mlir"))
        for number, text in enumerate(split_text(path.read_text(encoding="utf-8")))
    )


def filecheck_modules(ctx: HbirContext) -> Iterator[tuple[str, ModuleOp, WeightStore]]:
    """Those that parse, each with its constants: names mean another thing in each test."""
    for name, text in filecheck_texts():
        weights = ctx.weights = WeightStore()
        try:
            yield name, parse_module(text, ctx, name), weights
        except HbirError:
            continue  # a test of what is refused


EVERYTHING = """
"builtin.module"() ({
  "func.func"() <{function_type = (i32, f32) -> i32, sym_name = "blocks"}> ({
  ^bb0(%a: i32 loc("a"), %b: f32):
    %c = "test.cond"() : () -> i1 loc("forward"("f.py":3:4))
    "test.cond_br"(%c, %a, %a)[^bb2, ^bb2] {sizes = array<i32: 1, 1, 1>} : (i1, i32, i32) -> ()
  ^bb1(%x: i32):
    "test.forward"(%late, %x) : (i1, i32) -> ()
    "func.return"(%x) : (i32) -> ()
  ^bb2(%y: i32):
    %late = "test.late"() : () -> i1
    "test.cond_br"(%late, %y, %y)[^bb1, ^bb3] {sizes = array<i32: 1, 1, 1>} : (i1, i32, i32) -> ()
  ^bb3(%z: i32):
    %two:2 = "test.two"(%y, %y) ({
      %inner = "test.inner"(%y) : (i32) -> f32
      "test.use"(%inner, %y, %b) ({}, {
      ^bb0:
        "test.deep"(%inner, %after) : (f32, f32) -> ()
        %after = "test.after"() : () -> f32
      }) : (f32, i32, f32) -> ()
    }) : (i32, i32) -> (i32, i8)
    "func.return"(%two#0) : (i32) -> () loc(callsite("callee" at fused["x", "y":1:2]))
  }) : () -> () loc(fused["p", unknown])
  "test.attributes"() {
    nan = 0x7FC00000 : f32, quiet = 0x7FF8000000000001 : f64, inf = 0x7F800000 : f32,
    negative = 0xFF800000 : f32, denormal = 1.401298464324817e-45 : f32, zero = -0.0 : f64,
    half = 6.0e-8 : f16, brain = 3.0 : bf16, wide = 0.1 : f80, quad = 1.0e-310 : f128,
    tf = 1.5 : tf32, f8 = -0.5 : f8E4M3FN, t8 = f8E5M2,
    true_ = true, odd = -3 : si7, unsigned = 100 : ui7, many = -1 : i65, more = 5 : i200,
    lowest = -9223372036854775808 : i64, highest = 18446744073709551615 : ui64, at = -3 : index,
    bits = dense<[true, false, true, true, true, true, true, true, true]> : tensor<9xi1>,
    all = dense<true> : tensor<11xi1>, none = dense<false> : tensor<2x3xi1>, one = dense<true> : tensor<i1>,
    nibbles = dense<[1, -1, -8, 7]> : tensor<4xi4>, unsigned_nibbles = dense<[1, 15]> : tensor<2xui4>,
    three = dense<[1, -1, 8388607]> : tensor<3xi24>, five = dense<[-1, 5]> : vector<2xi33>,
    whole = dense<[-1, 5]> : tensor<2xi64>, at2 = dense<[-3, 5]> : tensor<2xindex>,
    floats = dense<[0x7FC00000, 1.0, -0.0]> : tensor<3xf32>, splat = dense<0.5> : tensor<1000xf32>,
    empty = dense<> : tensor<0xi32>, empties = dense<> : tensor<0x2xi1>, f8s = dense<1.5> : tensor<3xf8E5M2>,
    pairs = dense<[(1, 2), (3, -4)]> : tensor<2xcomplex<i8>>, cs = dense<(1.0, 2.0)> : tensor<2xcomplex<f32>>,
    bools = array<i1: true, false>, ints = array<i32: 5, -1>, doubles = array<f64: 0.1>, no = array<i8>,
    list = [1, "two", @three::@four::@five, [unit], {}], types = [i7, si7, ui200, none, () -> (), (i1) -> (i1, i2)],
    nested = {b = {c = #unknown.thing<"x">}, a = !unknown.type<i32>}, unit, text = "a \\22 \\0A", raw = "\\FF\\00\\7F",
    memory = memref<4x?xf32, strided<[?, 1], offset: ?>, 3>, plain = memref<?x4xf32>, scalar = memref<f32>,
    unranked = memref<*xf32, 2>, map = affine_map<(d0, d1)[s0] -> (d0 + s0, d1)>, encoded = tensor<3xi32, "dense">,
    dynamic = tensor<?x0x3xf32>, star = tensor<*xf32>, tuple = tuple<i32, tuple<>>, scalable = vector<4x[2]xf32>,
    quantized = tensor<4x!other.uniform<i8:f32, 1.0>>, resource = dense_resource<blob> : tensor<4xi8>
  } : () -> ()
}) : () -> ()
"""
"""Every attribute and type that both xDSL and MLIR have, blocks, forward references, locations."""
