"""The field table: it says what the kernels say, and every value survives its encoding."""

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.enums import Flag
from hbir.backend.isa.table import (
    BY_MNEMONIC,
    BY_NUMBER,
    INSTRUCTIONS,
    MAX_RANK,
    NONE,
    Instruction,
    Kind,
    Parameter,
    instruction,
)
from hbir.errors import HbirError
from hbir.kernels.table import find_kernel

WITH_KERNEL = [row for row in INSTRUCTIONS if row.kernel]


def test_mnemonics_and_numbers_are_unique() -> None:
    assert len(BY_NUMBER) == len(BY_MNEMONIC) == len(INSTRUCTIONS)


@pytest.mark.parametrize("row", WITH_KERNEL, ids=lambda row: row.mnemonic)
def test_parameters_are_the_keyword_arguments_of_the_kernel(row: Instruction) -> None:
    signature = inspect.signature(find_kernel(row.kernel)).parameters.values()
    keywords = {p.name: p for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY}
    keywords.pop("dtype", None)  # the output operand has it
    assert set(row.by_name) == set(keywords)
    for name, parameter in row.by_name.items():
        if parameter.required or keywords[name].default is inspect.Parameter.empty:
            continue
        assert parameter.default == keywords[name].default, name


@pytest.mark.parametrize("row", WITH_KERNEL, ids=lambda row: row.mnemonic)
def test_read_operands_are_the_array_arguments_of_the_kernel(row: Instruction) -> None:
    signature = inspect.signature(find_kernel(row.kernel)).parameters.values()
    positional = [p for p in signature if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    written = 2 if row.mnemonic == "conv2d" else 1
    optional = [name.endswith("?") for name in row.operands[written:]]
    assert optional == [p.default is not inspect.Parameter.empty for p in positional]


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    integers = st.integers(parameter.minimum, parameter.maximum)
    match parameter.kind:
        case Kind.BOOL:
            values: st.SearchStrategy[Any] = st.booleans()
        case Kind.FLOAT32:
            values = st.floats(width=32, allow_nan=False)
        case Kind.CHOICE:
            values = st.sampled_from(parameter.choices)
        case Kind.TUPLE:
            values = st.tuples(*[integers] * len(parameter.parts))
        case Kind.LIST:
            values = st.lists(integers, max_size=MAX_RANK).map(tuple)
        case Kind.INT:
            values = integers
    return st.none() | values if parameter.optional else values


@given(data=st.data())
@pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.mnemonic)
def test_parameters_survive_encoding(row: Instruction, data: st.DataObject) -> None:
    params = {p.name: data.draw(values_of(p)) for p in row.parameters}
    words = row.encode(params)
    assert len(words) == row.word_count
    assert all(-(1 << 63) <= word < 1 << 63 for word in words)
    assert row.decode(words) == params


def test_what_is_not_given_has_its_default() -> None:
    row = instruction("conv2d")
    params = row.decode(row.encode({}))
    assert params["stride"] == (1, 1)
    assert params["pad"] == (0, 0, 0, 0)
    assert params["clip"] is None
    assert row.default_flags == Flag.ACCUMULATE_FIRST | Flag.ACCUMULATE_LAST


@pytest.mark.parametrize(
    ("mnemonic", "params", "message"),
    [
        ("conv2d", {"stride": (0, 1)}, r"parameter stride is 0, expected 1\.\."),
        ("conv2d", {"stride": (1, 1, 1)}, "parameter stride takes 2 integers, got 3"),
        ("conv2d", {"strides": (1, 1)}, "conv2d has no parameter strides"),
        ("add", {}, "add needs parameter multipliers"),
        ("add", {"multipliers": (1, 1), "shift": 63}, "parameter shift is 63"),
        ("resize2d", {"size": (1, 1), "step": (1, 1), "mode": "cubic"}, "mode is 'cubic'"),
        ("permute", {"dims": (0,) * 7}, "parameter dims takes at most 6 integers"),
    ],
)
def test_wrong_parameters_are_named(mnemonic: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        instruction(mnemonic).encode(params)


@pytest.mark.parametrize(
    ("mnemonic", "word", "message"),
    [
        ("conv2d", 0, "parameter stride is 0"),
        ("conv2d", 1 << 40, "parameter stride"),
        ("fill", NONE, "parameter value"),
    ],
)
def test_words_out_of_range_do_not_decode(mnemonic: str, word: int, message: str) -> None:
    row = instruction(mnemonic)
    words = list(row.encode({} if mnemonic == "conv2d" else {"value": 0}))
    words[0] = word
    with pytest.raises(HbirError, match=message):
        row.decode(tuple(words))


def test_an_unknown_instruction_is_named() -> None:
    with pytest.raises(HbirError, match="no instruction 'convolve'"):
        instruction("convolve")
