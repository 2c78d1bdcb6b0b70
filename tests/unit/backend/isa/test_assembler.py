"""Text and bytes: each program's text assembles to the very bytes it was printed from."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.assembler import AssemblyError, assemble, parse_descriptor
from hbir.backend.isa.builder import ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.disassembler import descriptor_text, disassemble
from hbir.backend.isa.enums import DType, Engine, Flag, Space
from hbir.backend.isa.program import CpuSegment, Program, Tensor
from hbir.backend.isa.table import INSTRUCTIONS, Instruction
from hbir.hbm.reader import decode_program
from hbir.hbm.writer import encode_program
from tests.unit.backend.isa.test_descriptor import descriptors
from tests.unit.backend.isa.test_table import values_of
from tests.unit.runtime.programs import random_program, split_convolution, tiled_convolution


def assert_round_trip(program: Program) -> None:
    data = encode_program(program)
    text = disassemble(decode_program(data))
    assert encode_program(assemble(text)) == data
    assert disassemble(assemble(text)) == text


@given(descriptors())
def test_operands_survive_their_text(descriptor: TensorDescriptor) -> None:
    if descriptor.space not in (Space.INPUT, Space.OUTPUT):
        descriptor = descriptor._replace(port=0)
    assert parse_descriptor(descriptor_text(descriptor)) == descriptor


@given(seed=st.integers(0, 1 << 30))
def test_random_programs_round_trip(seed: int) -> None:
    assert_round_trip(random_program(seed)[0])


@pytest.mark.parametrize("program", [tiled_convolution(), split_convolution()])
def test_convolutions_round_trip(program: Program) -> None:
    assert_round_trip(program)


@given(data=st.data())
@pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.mnemonic)
def test_every_instruction_round_trips(row: Instruction, data: st.DataObject) -> None:
    builder = ProgramBuilder("nash-e", cores=2, l1_bytes=1 << 16, information={"a": [1, "é"]})
    graph = builder.graph("graph", "with a description")
    graph.layer("layer", "kind", 12, "int8", ["node"])
    call = graph.function_call()
    operand = dense(Space.L1, 0, DType.SI8, (1, 2))
    params = {p.name: data.draw(values_of(p)) for p in row.parameters}
    flags = data.draw(
        st.sampled_from([f for f in map(Flag, range(4)) if not f & ~row.allowed_flags])
    )
    waits = {(1, Engine.LOAD): 3, (0, Engine.SPU): 1}
    for core in range(2):
        operands = [operand] * len(row.operands)
        call.append(core, row.engines[0], row.mnemonic, operands, params, waits, 0, flags)
    assert_round_trip(builder.finish())


def test_cpu_calls_constants_and_interfaces_round_trip() -> None:
    builder = ProgramBuilder("nash-p", cores=1, l1_bytes=64, l2_bytes=128)
    for name in ("first", "second"):
        graph = builder.graph(name)
        graph.workspace_bytes = 4096
        graph.layer("only")
        scaled = Tensor("in/0", DType.SI8, (2, 3), (32, 1), "desc", (0.1, 0.25), (0, -3), 1)
        graph.input(scaled)
        graph.output(Tensor.dense("out:0", DType.F32, ()))
        at = builder.constant(np.arange(300, dtype=np.int16))
        parameters = {
            "attributes": {"equation": "ij->i", "axes": [1, -1], "value": np.eye(2)},
            "raw": b"\x00\xff",
            "none": None,
            "float": 0.1,
        }
        operand = dense(Space.CONSTANT, at, DType.SI16, (300,))
        output = dense(Space.OUTPUT, 0, DType.F32, ())
        graph.cpu_call("onnx::Einsum", parameters, [operand, operand], [output], 0, "no BPU form")
    program = builder.finish()
    assert len(program.constants) == 600  # equal constants are kept once
    assert_round_trip(program)
    segment = decode_program(encode_program(program)).graphs[0].segments[0]
    assert isinstance(segment, CpuSegment)
    np.testing.assert_array_equal(segment.parameters["attributes"]["value"], np.eye(2))


TEXT = disassemble(tiled_convolution())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("isa.program {", "isa.programme {", "<text>:1: expected 'isa.program {'"),
        ("conv2d output", "conv3d output", "there is no instruction 'conv3d'"),
        ("wait=[load:3]", "wait=[lode:3]", "there is no engine 'lode'"),
        ("wait=[load:3]", "wait=load:3", r"expected \[...\]"),
        ("pad=[1,1,0,1]", "pad=[1,1,0]", "parameter pad takes 4 integers, got 3"),
        ("pad=[1,1,0,1]", "pat=[1,1,0,1]", "conv2d has no 'pat'"),
        ("x=l1[0x1000]:si8", "x=l9[0x1000]:si8", "there is no memory 'l9'"),
        ("x=l1[0x1000]:si8", "x=l1[0x1000]:si9", "there is no element type 'si9'"),
        ("qpp=l1[0x800]:si32[16,3]", "", "conv2d needs operand qpp"),
        ("queue 0 tae", "queue 1 tae", "there is no core '1'"),
        ("  call\n", "", "a queue needs a 'call' above it"),
        ("constants 1344", "constants 1343", "constants have 1344 bytes, expected 1343"),
        ("constants 1344", "constants 1345", "malformed base64 among the constants"),
        ("constants 1344", "constants 1344 elided", "the constants were elided"),
        ('{"march": "nash-e"', '{"march" "nash-e"', "machine: malformed JSON"),
        ('"l1_bytes": 65536', '"l1_bytes": -1', "machine.l1_bytes: -1 is not in 0"),
    ],
)
def test_errors_name_line_and_reason(old: str, new: str, message: str) -> None:
    assert old in TEXT
    broken = TEXT.replace(old, new)
    with pytest.raises(AssemblyError, match=message):
        assemble(broken)


def test_a_text_without_an_end_is_refused() -> None:
    with pytest.raises(AssemblyError, match="no closing '}'"):
        assemble(TEXT.rstrip().removesuffix("}"))
    with pytest.raises(AssemblyError, match="nothing may follow"):
        assemble(TEXT + "more\n")


@pytest.mark.parametrize("text", ["////", "call", "read", "cpu/", "0000"])
def test_constants_may_look_like_anything(text: str) -> None:
    """Base64 that begins like a comment or spells a statement is base64 all the same."""
    data = base64.b64decode(text)
    builder = ProgramBuilder("nash-e", l1_bytes=64)
    builder.constant(data * 24 + data)
    assert text in disassemble(builder.finish())
    assert_round_trip(builder.finish())
