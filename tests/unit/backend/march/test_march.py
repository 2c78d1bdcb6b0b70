"""March names, march files, and what is said of wrong ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hbir.backend.march import March, load_march
from hbir.backend.march.machine import MarchError
from hbir.backend.march.march_file import ORIGINS


def test_spellings_are_the_same() -> None:
    assert March.nash_e is March.NASH_E
    assert March.nash_e == "nash-e"
    assert March.get("NASH_E") is March.get("nash-e") is March.nash_e
    assert [March.nash_p.num_cores, March.nash_h.num_cores, March.nash_e.num_cores] == [4, 3, 1]


@pytest.mark.parametrize("march", list(March), ids=lambda march: march.value)
def test_every_march_loads_and_says_where_its_numbers_come_from(march: March) -> None:
    machine = load_march(march)
    assert machine.name == march.value
    assert set(machine.opcode_engines.values()) <= set(machine.engines)
    for key, provenance in machine.provenance.items():
        assert provenance.origin in ORIGINS, key
        assert provenance.source, key


def test_a_machine_is_the_same_text_in_every_process() -> None:
    """Files that were compiled before are found by it; Python hashes text anew in each process."""
    code = "from hbir.backend.march import load_march; print(load_march('nash-p').identity)"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }  # fmt: skip
    assert len(said) == 1
    assert load_march("nash-e").identity != load_march("nash-m").identity


def test_nash_m_is_nash_e_at_another_clock() -> None:
    e, m = load_march("nash-e"), load_march("nash-m")
    assert (e.clock_ghz, m.clock_ghz) == (1.0, 1.5)
    assert (e.tae, e.vector, e.memory) == (m.tae, m.vector, m.memory)
    assert e.tae.macs_per_pass / e.tae.passes_int8_int8 == pytest.approx(16384, rel=0.15)
    assert m.microseconds(1500) == pytest.approx(1.0)


def test_a_march_without_vpu_quantizes_on_the_vector_engine() -> None:
    assert load_march("nash-e").engine_of("quantize") == "VPU"
    assert load_march("nash-b").engine_of("quantize") == "VAE"


def test_float16_is_for_the_vector_engine_of_some() -> None:
    have = [march.value for march in March if load_march(march).has_float16]
    assert have == ["nash-p", "nash-h", "nash-b"]
    assert load_march("nash-b").engine_of("float_softmax") == "VAE"
    with pytest.raises(MarchError, match="nash-m has no engine for float_add"):
        load_march("nash-m").engine_of("float_add")


HEADER = 'name = "mine"\ndescription = "d"\nextends = "nash-e"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(HEADER + text)
    return path


def test_a_path_may_extend_a_march(tmp_path: Path) -> None:
    path = write(
        tmp_path, '[memory]\nl1_bytes = { value = 4096, origin = "assumed", source = "a test" }\n'
    )
    machine = load_march(path)
    assert machine.memory.l1_bytes == 4096
    assert machine.provenance["memory.l1_bytes"].source == "a test"
    assert machine.tae == load_march("nash-e").tae


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[memory]\nl1_bytes = 4096\n", "memory.l1_bytes must be {value, origin, source}"),
        (
            '[memory]\nl1_bytes = { value = 1, origin = "guessed", source = "" }\n',
            "with origin one of published, fitted, assumed",
        ),
        (
            '[memory]\nl3_bytes = { value = 1, origin = "assumed", source = "" }\n',
            "key memory.l3_bytes is unknown",
        ),
        (
            '[memory]\nl1_bytes = { value = 0, origin = "assumed", source = "" }\n',
            "memory.l1_bytes is 0, expected a positive integer",
        ),
        (
            '[memory]\nl1_bytes = { value = "big", origin = "assumed", source = "" }\n',
            "memory.l1_bytes is 'big', which has the wrong type",
        ),
        ('[opcodes]\nsoftmax = "FPU"\n', "no such opcode or engine here"),
        ("[memory\n", "mine.toml"),
    ],
)
def test_a_wrong_file_is_told_by_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MarchError) as error:
        load_march(write(tmp_path, text))
    assert message in str(error.value)


def test_unknown_names_and_files_are_told() -> None:
    with pytest.raises(
        MarchError, match=r"'nash-x' is unknown; use one of .*; did you mean 'nash-"
    ):
        load_march("nash-x")
    with pytest.raises(MarchError, match="No such file"):
        load_march("absent.toml")
