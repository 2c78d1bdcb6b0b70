"""Reading .hbm files: whole ones come back, damaged and hostile ones are one clear error."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.enums import DType
from hbir.backend.isa.program import Tensor
from hbir.errors import HbirError
from hbir.hbm.format import CHECKSUM_OFFSET, HEADER_DTYPE, SECTION_DTYPE, Section, checksum
from hbir.hbm.reader import decode_program, read_program
from hbir.hbm.writer import encode_program, write_program
from hbir.runtime.simulator import Simulator
from tests.unit.runtime.programs import (
    new_graph,
    random_program,
    resized_image,
    tiled_convolution,
)

DATA = encode_program(tiled_convolution())
RESIZER = encode_program(resized_image())
"""With an input whose extents each run gives."""

RESIZED_BY = (Section.STRUCTURE, Section.DESCRIPTORS, Section.PARAMETERS, Section.INSTRUCTIONS)
HOSTILE = [*((DATA, kind) for kind in Section), *((RESIZER, kind) for kind in RESIZED_BY)]


def section(kind: Section, data: bytes = DATA) -> tuple[int, int]:
    """Offset and size of a section."""
    start = HEADER_DTYPE.itemsize
    table = np.frombuffer(
        data[start : start + len(Section) * SECTION_DTYPE.itemsize], SECTION_DTYPE
    )
    row = table[list(Section).index(kind)]
    return int(row["offset"]), int(row["size"])


def signed(data: bytes | bytearray) -> bytes:
    """`data` with the checksum it should have, as a hostile writer would make it."""
    digest = checksum([bytes(data[:CHECKSUM_OFFSET]), bytes(data[HEADER_DTYPE.itemsize :])])
    return bytes(data[:CHECKSUM_OFFSET]) + digest + bytes(data[HEADER_DTYPE.itemsize :])


@given(seed=st.integers(0, 1 << 30))
def test_a_program_read_back_is_written_to_the_same_bytes(seed: int) -> None:
    data = encode_program(random_program(seed)[0])
    assert encode_program(decode_program(data)) == data


def test_files_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "model.hbm"
    write_program(tiled_convolution(), path)
    assert path.read_bytes() == DATA
    assert read_program(path).march == "nash-e"
    assert [p.name for p in tmp_path.iterdir()] == ["model.hbm"]


def test_an_unwritable_place_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match="can't be written"):
        write_program(tiled_convolution(), tmp_path / "missing" / "model.hbm")


@given(size=st.integers(0, len(DATA) - 1))
def test_truncated_files_are_refused(size: int) -> None:
    with pytest.raises(HbirError, match=r"^f\.hbm: header at byte \d+: "):
        decode_program(DATA[:size], "f.hbm")


@given(at=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7))
def test_flipped_bits_are_refused(at: int, bit: int) -> None:
    damaged = bytearray(DATA)
    damaged[at] ^= 1 << bit
    with pytest.raises(HbirError, match=r"^f\.hbm: header at byte \d+: "):
        decode_program(bytes(damaged), "f.hbm")


@given(data=st.data())
@pytest.mark.parametrize(("whole", "kind"), HOSTILE, ids=lambda v: getattr(v, "name", ""))
def test_hostile_sections_never_do_more_than_raise(
    whole: bytes, kind: Section, data: st.DataObject
) -> None:
    """Bytes are changed and the checksum made right again: the file is refused, or the simulator
    refuses or runs it; anything but an HbirError fails the test."""
    offset, size = section(kind, whole)
    hostile = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = offset + data.draw(st.integers(0, size - 1))
        hostile[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, ord("9"), ord("[")]))
    try:
        program = decode_program(signed(hostile), "f.hbm")
        for graph in program.graphs:
            shapes = [
                [6 if axis in t.open_axes else n for axis, n in enumerate(t.shape)]
                for t in graph.inputs
            ]
            types = [t.dtype.numpy for t in graph.inputs]
            inputs = [np.zeros(s, t) for s, t in zip(shapes, types, strict=True)]
            Simulator(program, graph).run(inputs, listener=lambda name, array, value: None)
    except HbirError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message


@given(data=st.data())
def test_hostile_headers_are_refused(data: st.DataObject) -> None:
    end = HEADER_DTYPE.itemsize + len(Section) * SECTION_DTYPE.itemsize
    outside_checksum = [*range(CHECKSUM_OFFSET), *range(HEADER_DTYPE.itemsize, end)]
    # Some constants less, up to the padding, is a whole file; a run finds what it lacks.
    constants = HEADER_DTYPE.itemsize + 2 * SECTION_DTYPE.itemsize - 8
    outside_checksum.remove(constants)
    at = data.draw(st.sampled_from(outside_checksum))
    hostile = bytearray(DATA)
    hostile[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(HbirError, match=r"^f\.hbm: .*at byte \d+"):
        decode_program(signed(hostile), "f.hbm")


def patched(kind: Section, at: int, value: bytes) -> bytes:
    offset, _ = section(kind)
    hostile = bytearray(DATA)
    hostile[offset + at : offset + at + len(value)] = value
    return signed(hostile)


def structure(
    old: bytes, new: bytes, kind: Section = Section.STRUCTURE, data: bytes = DATA
) -> bytes:
    assert len(old) == len(new)
    offset, size = section(kind, data)
    body = data[offset : offset + size]
    assert old in body
    return signed(data[:offset] + body.replace(old, new) + data[offset + size :])


def resizer(old: bytes, new: bytes) -> bytes:
    return structure(old, new, data=RESIZER)


def debug(old: bytes, new: bytes) -> bytes:
    return structure(old, new, Section.DEBUG)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "header at byte 0: the file has 0 bytes"),
        (b"\x7fELF" + DATA[4:], "header at byte 0: not a .hbm file"),
        (DATA[:8] + b"\x01" + DATA[9:], "header at byte 8: format version 1, .* compile the model"),
        (patched(Section.QUEUES, 8, b"\xff\xff\xff\xff"), "section QUEUES at byte .*: queue 0"),
        (patched(Section.INSTRUCTIONS, 0, b"\xff\xff"), "instruction 0: malformed opcode"),
        (patched(Section.INSTRUCTIONS, 8, b"\xfe\xff\xff\xff"), "malformed operands"),
        (patched(Section.INSTRUCTIONS, 4, b"\xfe\xff\xff\xff"), "malformed layer"),
        (patched(Section.DESCRIPTORS, 0, b"\x09"), "section DESCRIPTORS .* malformed space"),
        (structure(b'"cores": 1', b'"cores": 0'), "cores: 0 is not in 1..64"),
        (structure(b'"graphs": [', b'"graphs": 7'), "section STRUCTURE .* malformed JSON"),
        (structure(b'"type": "si8"', b'"type": "si9"'), "no element type 'si9'"),
        (structure(b"[1, 8, 8, 8]", b"[1, 8, 8, 9]"), "takes .* bytes of a buffer of"),
        (
            resizer(b'"open_axes": [1, 2]', b'"open_axes": [2, 1]'),
            r"open_axes: \[2, 1\] of \[1, 64",
        ),
        (resizer(b'"open_axes": [1, 2]', b'"open_axes": [1, 4]'), "open_axes.1.: 4 is not in 0..3"),
        (resizer(b'"open_axes": [1, 2]', b'"open_axes": []    '), r"open_axes: \[\] of"),
        (resizer(b'"row_align_bytes": 32', b'"row_align_bytes": -1'), "row_align_bytes: -1 is not"),
        (resizer(b"[1, 64, 64, 1]", b"[9,9999999,64]"), "it may take over .* bytes"),
        (debug(b"[0, 2, 3, 1]", b"[0, 2, 2, 1]"), "malformed shape or perm"),
        (debug(b"[1, 1024]", b"[1, 1025]"), "value 'flat': no view of its source"),
        (debug(b'"view_of": 1', b'"view_of": 2'), "view_of: 2 is not in 0..1"),
        (debug(b"[[1, [0, 0, 0, 0]", b"[[1, [0, 1, 0, 0]"), "a box outside the value"),
        (debug(b"[[1, [0, 0, 0, 0]", b"[[3, [0, 0, 0, 0]"), "a box outside the value"),
        (debug(b"[0, 2, 0, 0]", b"[0, 3, 0, 0]"), "value 'tail': shares what its source lacks"),
        (patched(Section.PARTS, 4, b"\xff"), "section PARTS at byte .*: malformed value"),
        (patched(Section.PARTS, 4, b"\x02"), "section PARTS at byte .*: a part outside value"),
        (patched(Section.PARTS, 12, b"\x05"), "section PARTS at byte .*: a part outside value"),
        (patched(Section.PARTS, 0, b"\xff"), "section PARTS at byte .*: not in the .* order"),
    ],
)
def test_messages_name_section_and_offset(data: bytes, message: str) -> None:
    with pytest.raises(HbirError, match=f"^f.hbm: .*{message}"):
        decode_program(data, "f.hbm")


def test_a_value_that_nothing_writes_is_an_error_when_asked_for() -> None:
    data = debug(b'"shape": [1, 6, 8, 16]', b'"shape": [1, 7, 8, 16]')
    simulator = Simulator(decode_program(data), decode_program(data).graphs[0])
    x = np.zeros((1, 8, 8, 8), np.int8)
    simulator.run([x])
    with pytest.raises(HbirError, match="128 elements of value 'tail' are never written"):
        simulator.run([x], listener=lambda name, array, value: None)


def test_a_workspace_beyond_any_memory_is_refused() -> None:
    builder, graph = new_graph(workspace_bytes=1 << 39)
    graph.function_call()
    program = decode_program(encode_program(builder.finish()))
    with pytest.raises(HbirError, match=r"asks for \d+ bytes of workspace"):
        Simulator(program, program.graphs[0]).run([])


def test_only_the_resizer_reads_what_each_run_sizes_and_nothing_else() -> None:
    y, roi = np.full((1, 4, 6, 1), 200, np.uint8), np.zeros((1, 4), np.int32)
    program = decode_program(RESIZER)
    (out,) = Simulator(program, program.graphs[0]).run([y, roi])
    assert np.all(out == 72)
    for wrong, message in (
        (resized_image("load"), "input is an input with open extents, which the planes of"),
        (
            resized_image(plane=Tensor.dense("y", DType.UI8, (1, 64, 64, 1))),
            "y is not an input with open extents",
        ),
    ):
        image = y if wrong.graphs[0].inputs[0].open_axes else np.zeros((1, 64, 64, 1), np.uint8)
        with pytest.raises(HbirError, match=f"instruction 1 of core 0 LOAD .*'layer0': {message}"):
            Simulator(wrong, wrong.graphs[0]).run([image, roi])


def test_a_missing_file_is_named() -> None:
    with pytest.raises(HbirError, match=r"nowhere\.hbm: no such file"):
        read_program("nowhere.hbm")
