"""What is written is read back the same: every module there is, and the writer's own rules."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from xdsl.dialects import test as test_dialect
from xdsl.dialects.builtin import (
    ArrayAttr,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
    i32,
)
from xdsl.ir import Attribute, Block, Region

from hbir.bytecode import BytecodeWriteError, read_bytecode, write_bytecode
from tests.unit.bytecode.equal import assert_equal
from tests.unit.bytecode.modules import (
    EVERYTHING,
    context,
    filecheck_modules,
    generic_text,
    parse,
    read,
    write,
)

Op = test_dialect.TestOp


def test_every_module_of_the_filecheck_tests_comes_back() -> None:
    ctx = context()
    count = 0
    for name, module, weights in filecheck_modules(ctx):
        data = write(module, weights)
        read_back = read_bytecode(data, ctx)
        try:
            assert_equal(module, read_back.module)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
        assert write(read_back.module, weights) == data, name
        for handle, blob in read_back.blobs.items():
            assert blob == weights.blob(handle), name
        count += 1
    assert count > 200


def test_everything_comes_back() -> None:
    ctx = context()
    module = parse(EVERYTHING, ctx)
    again = read(write(module), ctx)
    assert_equal(module, again)
    assert write(again) == write(module)


def test_a_module_that_was_read_looks_the_same() -> None:
    """Attributes keep their order, so that text made of bytecode is the text it was made of."""
    text = '"test.op"() {z = 1 : i32, a = {y = 1 : i8, b}} : () -> () loc("here")\n'
    module = parse(text)
    assert generic_text(read(write(module))) == generic_text(module)


def test_an_op_alone_becomes_a_module() -> None:
    op = Op(attributes={"a": i32})
    module = read(write(op))
    assert isinstance(module, ModuleOp)
    assert_equal(op, module.body.block.ops.first or module)


def test_properties_and_attributes_go_where_the_definition_says() -> None:
    module = parse("func.func private @f(i32) attributes {mine = 1 : i8}")
    function = read(write(module)).body.block.first_op
    assert function is not None
    assert sorted(function.properties) == ["function_type", "sym_name", "sym_visibility"]
    assert list(function.attributes) == ["mine"]


def test_blobs_are_views_into_the_file_aligned_in_it() -> None:
    module = parse(
        '"t.op"() {a = dense_resource<x> : tensor<3xi8>, b = dense_resource<y> : i8v} : () -> ()'.replace(
            "i8v", "vector<2xf32>"
        )
    )
    blobs = {"x": b"123", "y": memoryview(b"12345678")}
    data = b"".join(write_bytecode(module, blobs.get))
    found = read_bytecode(data, context()).blobs
    assert {name: bytes(blob) for name, blob in found.items()} == {"x": b"123", "y": b"12345678"}
    assert all(blob.obj is data for blob in found.values())
    assert all(data.index(bytes(blob)) % 16 == 0 for blob in found.values())


def test_a_blob_is_not_copied_into_the_chunks() -> None:
    module = parse('"t.op"() {a = dense_resource<x> : tensor<3xi8>} : () -> ()')
    blob = bytearray(b"123")
    chunks = write_bytecode(module, lambda _: memoryview(blob))
    assert any(isinstance(chunk, memoryview) and chunk.obj is blob for chunk in chunks)


def test_a_handle_without_data_is_declared() -> None:
    module = parse('"t.op"() {a = dense_resource<x> : tensor<3xi8>} : () -> ()')
    read_back = read_bytecode(b"".join(write_bytecode(module)), context())
    assert read_back.blobs == {}
    assert "dense_resource<x>" in str(read_back.module)


def test_a_resource_named_in_another_dialects_attribute_is_kept() -> None:
    text = """"t.op"() {origin = #hbir.origin<"a", scale dense_resource<s> : tensor<17xf32>>} : () -> ()"""
    chunks = write_bytecode(parse(text), lambda handle: handle.encode() * 4)
    assert read_bytecode(b"".join(chunks), context()).blobs == {"s": b"ssss"}


def test_strings_that_are_not_unicode_come_back() -> None:
    module = parse(
        '"t.op"() {a = "\\FF\\00\\22", b = "\\22 \\0A", "key with space" = 1 : i32} : () -> ()'
    )
    assert_equal(module, read(write(module)))


def location_of(attribute: Attribute) -> Attribute:
    """What a location reads back as."""
    op = Op()
    op.location = attribute  # pyright: ignore[reportAttributeAccessIssue] - any attribute, to see it refused too
    again = read(write(op)).body.block.first_op
    assert again is not None
    return again.location


A, B = NameLoc(StringAttr("a"), NoneAttr()), NameLoc(StringAttr("b"), NoneAttr())
PLACE = FileLineColLoc(StringAttr("f"), IntAttr(1), IntAttr(2))


def fused(*locations: Attribute, metadata: Attribute | None = None) -> FusedLoc:
    return FusedLoc(tuple(locations), metadata or NoneAttr())


@pytest.mark.parametrize(
    ("location", "folded"),
    [
        (fused(A, B), fused(A, B)),
        (fused(A, UnknownLoc()), A),
        (fused(A, A), A),
        (fused(), UnknownLoc()),
        (fused(fused(A, PLACE), B, A), fused(A, PLACE, B)),
        (fused(A, metadata=i32), fused(A, metadata=i32)),
        (fused(fused(A, metadata=i32), B), fused(fused(A, metadata=i32), B)),
    ],
)
def test_fused_locations_are_folded_as_mlir_folds_them(
    location: FusedLoc, folded: Attribute
) -> None:
    assert location_of(location) == folded


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (NoneAttr(), "no form in MLIR"),
        (IntegerType(1 << 24), "wider than"),
        (StringAttr("\ud800"), "UTF-8"),
        (ArrayAttr([NoneAttr()]), "no form in MLIR"),
    ],
)
def test_what_mlir_has_no_form_for_is_refused(attribute: Attribute, message: str) -> None:
    with pytest.raises(BytecodeWriteError, match=message):
        write(Op(attributes={"a": attribute}))


def test_an_operand_from_outside_is_refused() -> None:
    outside = Op(result_types=[i32])
    with pytest.raises(BytecodeWriteError, match="operand 0 is not defined"):
        write(Op(operands=[outside.results[0]]))


def test_a_block_from_outside_is_refused() -> None:
    with pytest.raises(BytecodeWriteError, match="successor"):
        write(Op.create(successors=[Block()]))


def test_nesting_without_end_is_refused_in_one_line() -> None:
    op = Op()
    for _ in range(2000):
        op = Op(regions=[Region(Block([op]))])
    with pytest.raises(BytecodeWriteError, match="too deeply"):
        write(op)


@given(st.integers(0, 300), st.integers(0, 300), st.data())
def test_any_graph_of_values_comes_back(ops: int, arguments: int, data: st.DataObject) -> None:
    """Uses before and after definitions, in and out of nested regions."""
    draw = data.draw
    block = Block(arg_types=[i32] * (arguments % 5))
    made = [Op(result_types=[i32] * draw(st.integers(0, 3))) for _ in range(ops % 9 + 1)]
    inner = Block([Op(result_types=[i32])])
    values = [*block.args, *(result for op in made for result in op.results)]
    for op in made:
        if values:
            op.operands = draw(st.lists(st.sampled_from(values), max_size=4))
    inner_op = inner.first_op
    assert inner_op is not None
    if values:
        inner_op.operands = draw(st.lists(st.sampled_from(values), max_size=4))
    made[0].add_region(Region(inner))
    block.add_ops(made)
    module = ModuleOp([Op(regions=[Region([block, Block([Op.create(successors=[block])])])])])
    assert_equal(module, read(write(module)))


@given(st.binary(max_size=40), st.integers(1, 128), st.integers())
def test_names_and_numbers_of_any_kind_come_back(raw: bytes, width: int, number: int) -> None:
    text = raw.decode("latin-1")
    value = number % (1 << width)
    attributes: dict[str, Attribute] = {
        text or "empty": StringAttr(text),
        "signless": IntegerAttr(value, IntegerType(width)),
    }
    module = ModuleOp([Op(attributes=attributes)])
    assert_equal(module, read(write(module)))
