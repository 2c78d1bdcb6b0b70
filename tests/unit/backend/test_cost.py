"""The cost functions against hand-made counts and the published static table of ResNet-50."""

from dataclasses import replace

import numpy as np
import pytest

from hbir.backend.cost import (
    ConvWork,
    Work,
    burst_bytes,
    conv_cycles,
    output_channel_passes,
    padded_elements,
    transfer_cycles,
    vector_cycles,
)
from hbir.backend.march import load_march
from hbir.backend.march.machine import TensorEngine

NASH_E = load_march("nash-e")
STARTUP = NASH_E.tae.startup_cycles
MACHINE = replace(NASH_E, tae=TensorEngine(8, 16, 8, 16, 1, 2, 2, 4, STARTUP))
"""A machine whose unrolls and passes stay as they are here when a march is fitted again."""


@pytest.mark.parametrize(
    ("size", "cin", "cout", "kernel", "printed_us"),
    [
        (112, 3, 64, 7, 23),
        (56, 64, 64, 1, 1),
        (56, 64, 64, 3, 7),
        (56, 64, 256, 1, 3),
    ],
)
def test_the_published_rows_of_resnet50(
    size: int, cin: int, cout: int, kernel: int, printed_us: int
) -> None:
    # The table prints whole microseconds; the stem includes what the other rows don't show.
    work = ConvWork(1, size, size, cout, kernel, kernel, cin)
    predicted = NASH_E.microseconds(float(conv_cycles(NASH_E, work)))
    assert predicted == pytest.approx(printed_us, rel=0.25, abs=0.6)


def test_extents_are_padded_to_the_unroll() -> None:
    one = conv_cycles(MACHINE, ConvWork(1, 1, 1, 1, 1, 1, 1))
    full = conv_cycles(MACHINE, ConvWork(1, 8, 16, 16, 1, 1, 8))
    assert one == full == 1 + STARTUP
    assert conv_cycles(MACHINE, ConvWork(1, 9, 17, 17, 1, 1, 9)) == 16 + STARTUP


def test_groups_share_a_pass_as_their_output_channels_fit() -> None:
    # cout 1 per group: 16 groups per pass (unroll_cout). cout 8: 2 groups per pass.
    assert output_channel_passes(MACHINE, 64, 1, 64) == 4
    assert output_channel_passes(MACHINE, 64, 4, 8) == 4
    assert output_channel_passes(MACHINE, 96, 24, 4) == 8
    assert output_channel_passes(MACHINE, 64, 64, 1) == 4


def test_wide_elements_take_more_passes() -> None:
    cycles = [
        float(conv_cycles(MACHINE, ConvWork(1, 8, 16, 16, 1, 1, 8, 1, x, w))) - STARTUP
        for x, w in ((1, 1), (2, 1), (1, 2), (2, 2))
    ]
    assert cycles == [1, 2, 2, 4]


def test_the_published_max_pool_takes_5_us() -> None:
    work = Work(output_elements=56 * 56 * 64, input_elements=112 * 112 * 64, taps=9)
    assert NASH_E.microseconds(float(vector_cycles(NASH_E, "max_pool", work))) == pytest.approx(
        5, abs=0.5
    )


def test_transfers_cost_whole_bursts_and_their_latency() -> None:
    assert burst_bytes(NASH_E, 10, 65) == 1280
    ddr = NASH_E.ddr
    expected = 1280 / ddr.core_bandwidth_gb_per_s * NASH_E.clock_ghz + ddr.transfer_latency_cycles
    assert transfer_cycles(NASH_E, 10, 65) == pytest.approx(expected)


def test_arrays_cost_what_their_elements_cost() -> None:
    sizes = np.arange(1, 40)
    together = conv_cycles(NASH_E, ConvWork(1, sizes, 16, sizes, 3, 3, 8))
    alone = [float(conv_cycles(NASH_E, ConvWork(1, int(s), 16, int(s), 3, 3, 8))) for s in sizes]
    assert together.tolist() == alone


def test_channels_are_padded_to_the_lanes() -> None:
    assert padded_elements(NASH_E, np.array([2, 3, 17]), 1) == 2 * 3 * 32
    assert padded_elements(NASH_E, np.array([2, 3, 17]), 4) == 2 * 3 * 20
