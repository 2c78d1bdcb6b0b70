"""The registry is read off the files, and every pass it names is there."""

import subprocess
import sys

import pytest

from hbir.errors import HbirError
from hbir.passes import all_passes, load_pass, pass_modules
from hbir.passes.pipelines import CALIBRATE, CONVERT, OPTIMIZE


def test_every_pass_file_holds_the_pass_of_its_name() -> None:
    for name, load in all_passes().items():
        pass_type = load()
        assert pass_type.name == name
        assert (pass_type.__doc__ or "").strip(), f"{name} has no docstring"


def test_pipelines_name_passes() -> None:
    assert {*OPTIMIZE, *CALIBRATE, *CONVERT} <= set(pass_modules())


def test_an_unknown_pass_is_an_error_that_lists_the_others() -> None:
    with pytest.raises(HbirError, match=r"no pass 'fold'; there are .*fold-constants"):
        load_pass("fold")


def test_listing_passes_imports_none_of_them() -> None:
    code = (
        "import sys, hbir.passes as p; p.pass_modules();"
        "print([m for m in sys.modules if m.startswith('hbir.passes.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
