"""mlir-opt reads what is written, and what it writes is read back the same, in every version."""

from __future__ import annotations

import re

import pytest
from xdsl.context import Context
from xdsl.dialects.arith import Arith
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.ir import BlockArgument
from xdsl.parser import Parser

from hbir.bytecode import BytecodeError, read_bytecode
from hbir.errors import HbirError
from hbir.ir.context import HbirContext
from hbir.ir.verify import verify_module
from hbir.ir.weights import WeightStore
from tests.unit.bytecode.equal import assert_equal, name_of
from tests.unit.bytecode.mlir_opt.program import (
    VERSIONS,
    needs_mlir_opt,
    run_mlir_opt,
    to_bytecode,
    to_text,
)
from tests.unit.bytecode.modules import (
    EVERYTHING,
    context,
    filecheck_modules,
    generic_text,
    parse,
    read,
    write,
)

pytestmark = needs_mlir_opt

RESOURCE = b"\x01\x02\x03\x04"


@pytest.fixture(scope="module")
def ctx() -> HbirContext:
    return context()


@pytest.fixture(scope="module")
def all_modules(ctx: HbirContext) -> tuple[ModuleOp, WeightStore]:
    """Every module of the FileCheck tests that verifies, in one: a process start costs more."""
    store = WeightStore()
    modules: list[ModuleOp] = []
    for _, module, weights in filecheck_modules(ctx):
        try:
            verify_module(module)
            for handle in weights:
                store.add_bytes(weights.blob(handle), handle)
        except HbirError:
            continue  # a test of the verifier, or of another constant under the same name
        modules.append(module)
    assert len(modules) > 100
    return ModuleOp(modules), store


def parse_text(text: str, ctx: HbirContext) -> ModuleOp:
    """By xDSL's own parser: hbir's gives ops without a location that of the text."""
    return Parser(ctx, text.partition("{-#")[0]).parse_module()


def test_all_modules_through_its_text(
    all_modules: tuple[ModuleOp, WeightStore], ctx: HbirContext
) -> None:
    """But those with infinities among the elements of a constant: `dense<[0x7F800000]>` is a bit
    pattern for MLIR, a number for xDSL's parser."""
    module, weights = all_modules
    legible = [op.clone() for op in module.ops if not _BIT_PATTERNS.search(generic_text(op))]
    assert len(legible) > 0.9 * len(list(module.ops))
    legible_module = ModuleOp(legible)
    assert_equal(legible_module, parse_text(to_text(write(legible_module, weights)), ctx))


_BIT_PATTERNS = re.compile(r"dense<[^>]*\b0x[0-9A-Fa-f]{8}\b")


@pytest.mark.parametrize("version", VERSIONS)
def test_all_modules_through_its_bytecode(
    version: int, all_modules: tuple[ModuleOp, WeightStore], ctx: HbirContext
) -> None:
    module, weights = all_modules
    read_back = read_bytecode(to_bytecode(write(module, weights), version), ctx)
    assert read_back.version == version
    assert_equal(module, read_back.module)
    for handle, blob in read_back.blobs.items():
        assert blob == weights.blob(handle)


def test_everything_through_its_text(ctx: HbirContext) -> None:
    module = parse(EVERYTHING, ctx)
    assert_equal(module, parse_text(to_text(write(module)), ctx))


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_through_its_bytecode(version: int, ctx: HbirContext) -> None:
    module = parse(EVERYTHING, ctx)
    weights = WeightStore()
    weights.add_bytes(RESOURCE, "blob")
    read_back = read_bytecode(to_bytecode(write(module, weights), version), ctx)
    assert_equal(module, read_back.module)
    assert read_back.blobs == {"blob": RESOURCE}


@pytest.mark.parametrize("version", VERSIONS)
def test_registered_ops_with_all_their_properties(version: int) -> None:
    """Versions 5 and 6 hold them natively, in an order of LLVM's. xDSL doesn't define them all."""
    ctx = Context(allow_unregistered=True)
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Arith)
    expected = Parser(ctx, PROPERTIES).parse_module()
    read_back = read_bytecode(to_bytecode(PROPERTIES.encode(), version), ctx).module
    assert generic_names(expected) == generic_names(read_back)
    for op, its in zip(expected.walk(), read_back.walk(), strict=True):
        assert {**op.properties, **op.attributes} == {**its.properties, **its.attributes}


@pytest.mark.parametrize("version", [5, 6])
def test_native_properties_of_other_ops_are_refused_by_name(version: int) -> None:
    text = b"func.func @f() { cf.br ^a\n ^a: %c = arith.constant true\n cf.cond_br %c, ^a, ^a }"
    with pytest.raises(BytecodeError, match=r"op cf\.cond_br has native properties"):
        read(to_bytecode(text, version))


@pytest.mark.parametrize("version", VERSIONS)
def test_orders_of_uses_are_skipped(version: int, ctx: HbirContext) -> None:
    """Merging equal ops leaves their uses in an order that versions from 3 on write down."""
    text = """
    func.func @f(%a: i32) {
      %0:2 = "test.two"(%a) : (i32) -> (i32, i32)
      %x = arith.addi %0#0, %a : i32
      "test.use"(%x, %0#1) : (i32, i32) -> ()
      %y = arith.addi %0#0, %a : i32
      "test.use"(%a, %y, %0#1) : (i32, i32, i32) -> ()
      "test.use"(%a, %x) : (i32, i32) -> ()
      %z = arith.addi %0#0, %a : i32
      "test.use"(%x, %z, %0#1) : (i32, i32, i32) -> ()
      func.return
    }"""
    merged = run_mlir_opt(text.encode(), "--cse")
    flags = ("--emit-bytecode", f"--emit-bytecode-version={version}")
    data = run_mlir_opt(text.encode(), "--cse", *flags)
    one, other = parse(merged.decode(), ctx), read(data, ctx)
    for op, its in zip(one.walk(), other.walk(), strict=True):
        its.location = op.location  # those of the two texts differ
    for argument, its in zip(arguments(one), arguments(other), strict=True):
        its.location = argument.location
    assert_equal(one, other)


def arguments(module: ModuleOp) -> list[BlockArgument]:
    """The block arguments of a module."""
    regions = [region for op in module.walk() for region in op.regions]
    return [argument for region in regions for block in region.blocks for argument in block.args]


def generic_names(module: ModuleOp) -> list[str]:
    return [name_of(op) for op in module.walk()]


PROPERTIES = """
"builtin.module"() <{sym_name = "outer"}> ({
  "func.func"() <{function_type = (i32) -> i32, sym_name = "private", sym_visibility = "private"}> ({}) : () -> () loc("f")
  "func.func"() <{arg_attrs = [{t.a = 1 : i8}, {}], function_type = (i32, f32) -> i32, res_attrs = [{t.b = 2 : i8}], sym_name = "all"}> ({
  ^bb0(%i: i32 loc("i"), %f: f32 loc("g")):
    %constant = "arith.constant"() <{value = 5 : i64}> : () -> i64 loc("l")
    %h = "arith.truncf"(%f) <{fastmath = #arith.fastmath<fast>}> : (f32) -> f16 loc("l")
    %c = "arith.cmpi"(%i, %i) <{predicate = 2 : i64}> : (i32, i32) -> i1 loc("l")
    %d = "arith.cmpf"(%f, %f) <{fastmath = #arith.fastmath<nnan>, predicate = 3 : i64}> : (f32, f32) -> i1 loc("l")
    %s = "arith.addi"(%i, %i) <{overflowFlags = #arith.overflow<nsw>}> : (i32, i32) -> i32 loc("l")
    %t = "arith.trunci"(%i) <{overflowFlags = #arith.overflow<nuw>}> : (i32) -> i8 loc("l")
    %e = "arith.shrui"(%i, %i) <{isExact}> : (i32, i32) -> i32 loc("l")
    %w = "arith.extui"(%t) : (i8) -> i32 loc("l")
FLOATS
    %p = "func.constant"() <{value = @private}> : () -> ((i32) -> i32) loc("l")
    %q = "func.call"(%i) <{callee = @private}> : (i32) -> i32 loc("l")
    %r = "func.call_indirect"(%p, %i) : ((i32) -> i32, i32) -> i32 loc("l")
    "func.return"(%q) : (i32) -> () loc("l")
  }) : () -> () loc("all")
}) : () -> () loc("m")
""".replace(
    "FLOATS",
    "\n".join(
        f'    %f{index} = "arith.{name}f"({operands}) <{{fastmath = #arith.fastmath<none>}}> '
        f': ({types}) -> f32 loc("l")'
        for index, (name, operands, types) in enumerate(
            [("neg", "%f", "f32")]
            + [
                (name, "%f, %f", "f32, f32")
                for name in [
                    "add",
                    "sub",
                    "mul",
                    "div",
                    "rem",
                    "maximum",
                    "minimum",
                    "maxnum",
                    "minnum",
                ]
            ]
        )
    ),
)
