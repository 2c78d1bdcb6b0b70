"""Errors say during which stage they came up, once."""

from __future__ import annotations

import pytest

from hbir.errors import HbirError
from hbir.module import Module
from hbir.ptq.build.stages import StageError, during

TEXT = """
func.func @main(%x: tensor<1x3x4x4xf32> {hbir.name = "x"})
    -> (tensor<1x3x4x4xf32> {hbir.name = "y"}) {
  %0 = hbir.relu %x : tensor<1x3x4x4xf32>
  func.return %0 : tensor<1x3x4x4xf32>
}
"""


def test_an_insertion_that_fails_names_itself() -> None:
    (argument,) = Module.parse(TEXT).functions[0].flatten_inputs
    with (
        pytest.raises(StageError, match=r"^\*\*\* ERROR-OCCUR-DURING hbdk.insert_transpose \*\*\*"),
        during("hbdk.insert_transpose"),
    ):
        argument.insert_transpose([0, 1])
    with (
        pytest.raises(
            StageError, match=r"^\*\*\* ERROR-OCCUR-DURING hbdk.insert_roi_resize \*\*\*"
        ),
        during("hbdk.insert_roi_resize"),
    ):
        argument.insert_roi_resize("no such mode")


def test_the_innermost_stage_counts_and_other_exceptions_pass() -> None:
    with pytest.raises(StageError) as raised, during("hbdk.convert"), during("hbdk.save"):
        raise HbirError("full")
    assert str(raised.value) == "*** ERROR-OCCUR-DURING hbdk.save ***, error message: full"
    with pytest.raises(KeyError), during("hbdk.convert"):
        raise KeyError("a defect of the compiler stays one")
