"""`OnnxFile`: an ONNX model whose weights stand beside its message, for writing without copies.

protobuf copies an array once into its message, again when that goes into the graph's, and twice
when it is serialized. A file is the same fields one after the other, so here the weights' bytes go
into it as they are, between what stands before and after them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from google.protobuf.message import Message
from onnx import GraphProto, ModelProto, TensorProto, helper

from hbir.errors import HbirError
from hbir.ir.types import Array

PROTOBUF_LIMIT = (1 << 31) - 1
"""Bytes that a protobuf message may have, hence an .onnx file without external data."""

GRAPH = ModelProto.DESCRIPTOR.fields_by_name["graph"].number
INITIALIZER = GraphProto.DESCRIPTOR.fields_by_name["initializer"].number
RAW_DATA = TensorProto.DESCRIPTOR.fields_by_name["raw_data"].number

ALL = range(1 << 29)
"""The numbers that fields may have."""

LENGTH_DELIMITED = 2
"""The wire type of bytes and messages (protobuf's encoding, "Message structure")."""

Chunk = bytes | memoryview


@dataclass(frozen=True)
class OnnxFile:
    """A model, and the initializers that its message lacks: arrays by name, or messages.

    They come in the file after those that the message has.
    """

    model: ModelProto
    arrays: Mapping[str, Array] = field(default_factory=dict[str, Array])
    tensors: Sequence[TensorProto] = ()

    def chunks(self) -> list[Chunk]:
        """The bytes of the .onnx file, in pieces. Raises HbirError when a file can't hold them."""
        graph = self.model.graph
        inner: list[Chunk] = [_fields(graph, range(INITIALIZER + 1))]
        for tensor in map(_serialized, self.tensors):
            inner += [_header(INITIALIZER, len(tensor)), tensor]
        for name, array in self.arrays.items():
            inner += _initializer(name, array)
        inner.append(_fields(graph, range(INITIALIZER + 1, ALL.stop)))
        size = _bytes_of(inner)
        whole: list[Chunk] = [
            _fields(self.model, range(GRAPH)),
            _header(GRAPH, size),
            *inner,
            _fields(self.model, range(GRAPH + 1, ALL.stop)),
        ]
        size = _bytes_of(whole)
        if size > PROTOBUF_LIMIT:
            raise HbirError(
                f"{graph.name}: the model has {size} bytes, an .onnx file holds at most"
                f" {PROTOBUF_LIMIT}; save the module as .bc instead"
            )
        return whole

    def data(self) -> bytes:
        """The bytes of the .onnx file in one piece, as `chunks` gives them."""
        return b"".join(self.chunks())


def _initializer(name: str, array: Array) -> Iterator[Chunk]:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    head = TensorProto(
        dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(little.dtype), name=name
    )
    raw = np.ascontiguousarray(little).reshape(-1).view(np.uint8).data
    before, mark = _serialized(head), _header(RAW_DATA, raw.nbytes)
    yield _header(INITIALIZER, len(before) + len(mark) + raw.nbytes)
    yield from (before, mark, raw)


def copy_fields(
    source: Message, target: Message, *, leave_out: str = "", numbers: range = ALL
) -> None:
    """Copy the fields with these numbers but one from a message to an empty one of its type."""
    for descriptor, value in source.ListFields():
        name = descriptor.name
        if name == leave_out or descriptor.number not in numbers:
            continue
        if descriptor.is_repeated:
            getattr(target, name).extend(value)
        elif descriptor.message_type is not None:
            getattr(target, name).CopyFrom(value)
        else:
            setattr(target, name, value)


def _fields(message: Message, numbers: range) -> bytes:
    """The fields of a message that have these numbers."""
    part = type(message)()
    copy_fields(message, part, numbers=numbers)
    return _serialized(part)


def _serialized(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _header(number: int, length: int) -> bytes:
    """What stands before a field of `length` bytes."""
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(length)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the top bit set."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _bytes_of(chunks: Sequence[Chunk]) -> int:
    return sum(memoryview(chunk).nbytes for chunk in chunks)
