"""`tools/fit_march.py`: what it writes into a march file, and which marches it compiles once."""

import shutil
from pathlib import Path

import pytest

from hbir import __version__
from hbir.backend.march import load_march
from tools import fit_march


def test_fitted_numbers_replace_those_of_the_march_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(fit_march.MARCH_FOLDER / "nash-e.toml", tmp_path)
    monkeypatch.setattr(fit_march, "MARCH_FOLDER", tmp_path)
    before = load_march("nash-e")
    factors = {"tae": 1.1, "vae": 0.5, "trans": 2.0, "ddr": 1.25, "call": 3.0}
    fit_march.write_numbers("nash-e", fit_march.new_numbers(before, factors), "a test")
    after = load_march(tmp_path / "nash-e.toml")
    assert after.tae.passes_int8_int8 == pytest.approx(1.1 * before.tae.passes_int8_int8, rel=5e-3)
    vae, trans = after.vector["VAE"], after.vector["TRANS"]
    assert vae.bytes_per_cycle == pytest.approx(2 * before.vector["VAE"].bytes_per_cycle, rel=5e-3)
    assert trans.bytes_per_cycle == pytest.approx(
        before.vector["TRANS"].bytes_per_cycle / 2, rel=5e-3
    )
    assert after.ddr_bytes_per_cycle == pytest.approx(before.ddr_bytes_per_cycle / 1.25, rel=5e-3)
    assert after.call_overhead_us == pytest.approx(3 * before.call_overhead_us, rel=5e-3)
    assert after.vector["AAE"] == before.vector["AAE"]
    assert after.provenance["vae.bytes_per_cycle"].origin == "fitted"
    assert after.provenance["vae.bytes_per_cycle"].source == "a test"
    assert after.provenance["tae.passes_int16_int16"].origin == "assumed"
    assert after.fitted_with == f"hbir {__version__}"


def test_marches_that_differ_by_their_clock_are_alike_in_cycles() -> None:
    e, m, p = (fit_march.in_cycles(load_march(name)) for name in ("nash-e", "nash-m", "nash-p"))
    assert e == m
    assert e != p
