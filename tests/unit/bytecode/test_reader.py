"""Files that are wrong: one error with the place, in bounded time and memory, whatever they hold."""

from __future__ import annotations

import random

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, StringAttr, UnitAttr

from hbir.bytecode import BytecodeError, is_bytecode, read_bytecode
from hbir.bytecode.encoding import Section, signed_varint, varint
from tests.unit.bytecode.modules import EVERYTHING, context, parse, read, write
from tests.unit.bytecode.mutations import mutate, try_reading


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [write(parse(EVERYTHING)), write(parse(SMALL))]


SMALL = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = hbir.relu %x {origin = #hbir.origin<"y", from "Relu_0" "Relu", scale 0.1 : f32>} : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""


def test_a_slice_of_the_fuzzing(files: list[bytes]) -> None:
    """`make fuzz` makes a hundred times as many."""
    ctx = context()
    random_ = random.Random(0)
    errors = 0
    for _ in range(1000):
        data = mutate(random_.choice(files), random_, random_.choice(files))
        errors += try_reading(data, ctx).error is not None
    assert errors > 500


def test_every_truncation_is_one_error(files: list[bytes]) -> None:
    ctx = context()
    data = files[1]
    for size in range(len(data)):
        with pytest.raises(BytecodeError, match=r"^byte \d+, "):
            read_bytecode(data[:size], ctx)


def test_a_flipped_bit_is_an_error_or_a_module(files: list[bytes]) -> None:
    ctx = context()
    for bit in range(0, 8 * len(files[1]), 5):  # five: every bit of a byte has its turn
        data = bytearray(files[1])
        data[bit // 8] ^= 1 << bit % 8
        try_reading(bytes(data), ctx)


def test_other_files_are_not_bytecode() -> None:
    assert not is_bytecode(b"module {}")
    with pytest.raises(BytecodeError, match="byte 0, header: not MLIR bytecode"):
        read(b"module {}")


def test_a_newer_version_is_refused(files: list[bytes]) -> None:
    data = files[1][:4] + varint(7) + files[1][5:]
    with pytest.raises(BytecodeError, match="bytecode version 7; versions 0 to 6 are read"):
        read(data)


# ---- files made by hand -------------------------------------------------------------------------


def section(number: int, data: bytes) -> bytes:
    return bytes((number,)) + varint(len(data)) + data


STRINGS = ("builtin", "module", "t", "op", "a", "#t.text")


def file(
    attributes: list[bytes] | None = None,
    types: list[bytes] | None = None,
    ir: bytes = b"",
    extra: bytes = b"",
    texts: list[str] | None = None,
) -> bytes:
    """A file of version 4: attribute 0 is the unknown location, attribute 1 the string "a"; then
    `attributes`, all natively encoded, and `texts`. Op 0 is builtin.module, op 1 is t.op.
    """
    native = [bytes((15 << 1 | 1,)), varint(2) + varint(4), *(attributes or [])]
    text = [entry.encode() + b"\0" for entry in texts or []]
    kinds = types or []
    offsets = varint(len(native) + len(text)) + varint(len(kinds))
    offsets += varint(0) + varint(len(native))
    offsets += b"".join(varint(len(entry) << 1 | 1) for entry in native)
    if text:
        offsets += varint(1) + varint(len(text)) + b"".join(varint(len(t) << 1) for t in text)
    if kinds:
        offsets += varint(0) + varint(len(kinds))
        offsets += b"".join(varint(len(entry) << 1 | 1) for entry in kinds)
    strings = varint(len(STRINGS)) + b"".join(varint(len(s) + 1) for s in reversed(STRINGS))
    strings += b"".join(s.encode() + b"\0" for s in STRINGS)
    dialects = varint(2) + varint(0 << 1) + varint(2 << 1)
    dialects += varint(2) + varint(0) + varint(1) + varint(1) + varint(1) + varint(1) + varint(3)
    return b"".join(
        (
            b"ML\xefR" + varint(4) + b"test\0",
            section(Section.DIALECT, dialects),
            section(Section.ATTRIBUTE_OFFSET, offsets),
            section(Section.ATTRIBUTE, b"".join([*native, *text, *kinds])),
            section(Section.IR, ir or op_with_attribute(2)),
            extra,
            section(Section.STRING, strings),
        )
    )


def op_with_attribute(number: int) -> bytes:
    """A single t.op whose dictionary is attribute `number`."""
    return varint(1 << 1) + varint(1) + b"\x01" + varint(0) + varint(number)


def dictionary_of(number: int) -> bytes:
    """{a = attribute number}"""
    return varint(1) + varint(1) + varint(1) + varint(number)


def array_of(*numbers: int) -> bytes:
    return varint(0) + varint(len(numbers)) + b"".join(map(varint, numbers))


def test_a_file_made_by_hand_is_read() -> None:
    op = read(file([dictionary_of(3), varint(7)])).body.block.first_op
    assert op is not None
    assert op.attributes["a"] == UnitAttr()


GIANT = (1 << 64) - 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file([dictionary_of(3), array_of(3)]), "attribute 3 contains itself"),
        (file([dictionary_of(3), array_of(4), array_of(3)]), "contains itself"),
        (file([dictionary_of(3)] + [array_of(i + 1) for i in range(3, 400)]), "deeper than"),
        (file([dictionary_of(3)] + [array_of(i + 1, i + 1) for i in range(3, 60)] + [varint(7)]), "parts"),
        (file([dictionary_of(3), varint(0) + varint(GIANT)]), "says 18446744073709551615 attributes"),
        (file([dictionary_of(3), array_of(9)]), "attribute 9 of 4"),
        (file([dictionary_of(3), varint(99)]), "attribute code 99 is unknown"),
        (file([dictionary_of(3), varint(20)]), "'sparse elements' has no counterpart"),
        (file([dictionary_of(3), varint(7) + b"\x01"]), "1 bytes are left behind attribute 3"),
        (file([dictionary_of(3), varint(2) + varint(77)]), "string 77 of 6"),
        (file([dictionary_of(3), varint(6) + varint(0)]), "type 0 of 0"),
        (file([varint(7)]), "attribute 2 is not a dictionary"),
        (file([dictionary_of(3), varint(16) + varint(0) + varint(5)], [varint(13) + varint(0) + varint(1), varint(5)]), "resource 5 of 0"),
        (file([varint(1) + varint(2) + (varint(1) + varint(1)) * 2]), "key 'a' twice"),
        (file([dictionary_of(3)], texts=["#t.text<" + "[" * 5000]), "attribute 3"),
        (file([dictionary_of(3)], texts=["dense<0> : tensor<99999999x99999999xi8>"]), "as large as that"),
        (file([dictionary_of(3)], texts=["1 : i32 2 : i32"]), "is more than one"),
        (file([dictionary_of(3)], texts=['#t.text<"' + "a" * 500]), "a string is not closed"),
        (file([dictionary_of(3)], texts=['#t.text<"\\q' + "a" * 500 + '">']), "a string is not closed"),
        (file([dictionary_of(3)], texts=["#t.text<1"]), "attribute 3: `#t.text<1`: Unexpected end"),
    ],
)  # fmt: skip
def test_hostile_attributes(data: bytes, message: str) -> None:
    with pytest.raises(BytecodeError, match=message):
        read(data)


def tensor(*shape: int) -> bytes:
    extents = b"".join(map(signed_varint, shape))
    return varint(13) + varint(len(shape)) + extents + varint(1)


def dense(size: int, data: bytes) -> bytes:
    return varint(18) + varint(0) + varint(size) + data


F32, I8 = varint(5), varint(0) + varint(8 << 2)


@pytest.mark.parametrize(
    ("constant", "types", "message"),
    [
        (dense(4, b"0000"), [tensor(1 << 40), F32], "constants of one value take"),
        (dense(4, b"0000"), [tensor(*[1 << 40] * 1000), F32], "more elements than can be counted"),
        (dense(GIANT, b"0000"), [tensor(4), F32], "4 elements in 18446744073709551615 bytes"),
        (dense(8, b"0000"), [tensor(2), F32], "dense constant of 8 bytes, with 4 bytes left"),
        (dense(12, b"0" * 12), [tensor(2), F32], "2 elements in 12 bytes"),
        (dense(4, b"0000"), [tensor(-5), F32], "extent -5"),
        (dense(4, b"0000"), [tensor(-(1 << 63)), F32], "dynamic extent"),
        (dense(4, b"0000"), [F32], "without a shape"),
        (dense(4, b"0000"), [tensor(1), varint(12)], "can't be stored"),
        (varint(8) + varint(0) + b"\x01", [varint(0) + varint(GIANT)], "integer type of width"),
        (varint(8) + varint(0) + b"\x01", [varint(0) + varint(1 << 23 << 2)], "an integer attribute of"),
        (varint(8) + varint(0) + b"\x01", [F32], "not an integer"),
        (varint(9) + varint(0) + b"\x01", [I8], "not a float"),
        (varint(17) + varint(0) + varint(GIANT) + varint(1) + b"0", [I8], "elements in 1 bytes"),
    ],
)  # fmt: skip
def test_hostile_constants(constant: bytes, types: list[bytes], message: str) -> None:
    with pytest.raises(BytecodeError, match=message):
        read(file([dictionary_of(3), constant], types))


def op(mask: int, *rest: int) -> bytes:
    return varint(1) + bytes((mask,)) + varint(0) + b"".join(map(varint, rest))


def nested_regions(depth: int) -> bytes:
    """Ops of one region of one block of one op."""
    ir = varint(1 << 1)
    for _ in range(depth):
        ir += op(0x10, 1 << 1, 1, 0, 1 << 1)
    return ir + op(0)


@pytest.mark.parametrize(
    ("ir", "message"),
    [
        (varint(GIANT), "block arguments at the top level"),
        (varint(5 << 1) + op(0), "ends in the middle of an operation"),
        (varint(1 << 1) + varint(9), "op name 9 of 2"),
        (varint(1 << 1) + op(0x04, GIANT), "ends in the middle"),
        (varint(1 << 1) + op(0x04, 1, 5), "value 5 of 0"),
        (varint(1 << 1) + op(0x08, 1, 5), "successor 5 of 0"),
        (varint(1 << 1) + op(0x02, GIANT), "ends in the middle"),
        (varint(1 << 1) + op(0x10, GIANT - 1), "regions, with"),
        (varint(1 << 1) + op(0x10, 1 << 1, GIANT), "blocks, with"),
        (varint(1 << 1) + op(0x10, 1 << 1, 1, GIANT, 0), "a region of 18446744073709551615 values"),
        (varint(1 << 1) + op(0x10, 1 << 1, 1, 2, 0), "2 of a region's 2 values are not defined"),
        (varint(1 << 1) + op(0x10, 1 << 1, 1, 0, 1 << 1) + op(0x02, 1, 0), "more values are defined"),
        (varint(1 << 1) + op(0x10, 1 << 1 | 1, 1), "expected an IR section"),
        (varint(1 << 1) + op(0x40, 0), "native properties before version 5"),
        (varint(1 << 1) + op(0) + b"\x01", "left behind the last operation"),
        (nested_regions(200), "nested deeper than 100"),
        (nested_regions(50000), "nested deeper than 100"),
    ],
)  # fmt: skip
def test_hostile_ir(ir: bytes, message: str) -> None:
    with pytest.raises(BytecodeError, match=message):
        read(file([], [F32], ir))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (section(Section.STRING, b"\x01"), "a second string section"),
        (bytes((77,)) + varint(0), "there is no section 77"),
        (bytes((Section.PROPERTIES,)) + varint(GIANT), "properties section of 18446744073709551615"),
        (bytes((Section.PROPERTIES | 0x80,)) + varint(1) + varint(3), "alignment 3 is not a power"),
        (bytes((Section.PROPERTIES | 0x80,)) + varint(1) + varint(1 << 40), "padding of"),
        (section(Section.RESOURCE, b""), "come together"),
        (
            section(Section.RESOURCE_OFFSET, varint(0) + varint(0) + varint(1) + varint(4) + varint(99) + b"\0")
            + section(Section.RESOURCE, b""),
            "resource 'a' of 99 bytes",
        ),
        (
            section(Section.RESOURCE_OFFSET, varint(0) + varint(1) + varint(1) + varint(4) + varint(1) + b"\0")
            + section(Section.RESOURCE, b"1"),
            "blobs of dialect 'builtin' are read",
        ),
        (
            section(Section.RESOURCE_OFFSET, varint(0) + varint(0) + varint(1) + varint(4) + varint(3) + b"\0")
            + section(Section.RESOURCE, varint(1) + varint(9) + b"0"),
            "resource 'a' of 9 bytes",
        ),
        (section(Section.PROPERTIES, varint(GIANT)), "says 18446744073709551615 properties"),
    ],
)  # fmt: skip
def test_hostile_sections(extra: bytes, message: str) -> None:
    with pytest.raises(BytecodeError, match=message):
        read(file([dictionary_of(3), varint(7)], extra=extra))


def test_many_operands_defined_later_take_linear_time() -> None:
    """Each would be replaced by itself, copying all others."""
    count = 20_000
    uses = op(0x04, count, *range(count))
    defines = op(0x02, count, *[0] * count)
    ir = varint(1 << 1) + op(0x10, 1 << 1, 1, count, 2 << 1) + uses + defines
    module = read(file([], [F32], ir))
    outer = module.body.block.first_op
    assert outer is not None
    user = outer.regions[0].block.first_op
    assert user is not None
    assert len(user.operands) == count


def test_unregistered_ops_need_a_context_that_allows_them() -> None:
    ctx = Context()
    ctx.load_dialect(Builtin)
    with pytest.raises(BytecodeError, match=r"op t\.op is not registered"):
        read_bytecode(file([dictionary_of(3), varint(7)]), ctx)


def test_a_faster_parser_is_asked_first_and_may_decline() -> None:
    asked: list[str] = []

    def parse_text(text: str) -> StringAttr | None:
        asked.append(text)
        return StringAttr("fast") if text == "#t.text<1>" else None

    found: list[object] = []
    for text in ("#t.text<1>", "#t.text<2>"):
        data = file([dictionary_of(3)], texts=[text])
        parsers = {"#t.text": parse_text}
        first = read_bytecode(data, context(), text_parsers=parsers).module.body.block.first_op
        assert first is not None
        found.append(str(first.attributes["a"]))
    assert found == ['"fast"', "#t.text<2>"]
    assert asked == ["#t.text<1>", "#t.text<2>"]


def test_the_top_level_is_shown_before_anything_inside_it() -> None:
    """So a version can be refused before its ops turn out to be unknown."""
    seen: list[str] = []
    ir = varint(1 << 1) + op(0x10, 1 << 1, 1, 0, 1 << 1) + varint(9)
    with pytest.raises(BytecodeError, match="op name 9"):
        read_bytecode(file([], [], ir), context(), on_top_level=lambda op: seen.append(op.name))
    assert len(seen) == 1
