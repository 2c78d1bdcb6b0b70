"""CREPE tiny, 1-D convolutions with real weights: every level, and the pitch that the hbm hears."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

import hbir
import hbir.torch
from tests.e2e.levels import Network, assert_levels_equal, cosine
from tests.e2e.placement import assert_cpu_ops_give_reasons
from tests.models import torchcrepe

_torch: Any = torch  # its functions are typed only in part

MARCH = "nash-e"
BATCH = 4
MAX_MEDIAN_CENTS = 5.0
"""Float gives 2.6 on these tones."""
MIN_COSINE = 0.995


def test_the_pitch_survives_quantization(tmp_path: Path) -> None:
    network = torchcrepe.load("tiny")
    module = hbir.torch.export(
        network, (torch.zeros(BATCH, torchcrepe.WINDOW),), input_names=["samples"],
        output_names=["pitch"],
    )  # fmt: skip
    calibration, _ = torchcrepe.tones(4 * BATCH, seed=2)
    batches = [{"samples": batch} for batch in np.split(calibration, 4)]
    levels = Network("crepe", hbir.calibrate(module, batches), tmp_path)
    quantized = levels.quantized(MARCH)
    assert_cpu_ops_give_reasons(quantized)
    counts = quantized.functions[0].statistics()
    assert not any(name.startswith("hbtl.call") for name in counts), counts
    assert counts["bpu.conv2d"] == 13, "6 convolutions, their batch norms, and the classifier"

    samples, frequencies = torchcrepe.tones(30 * BATCH, seed=1)
    feeds = [{"samples": batch} for batch in np.split(samples, 30)]
    with torch.no_grad():
        expected = network(_torch.from_numpy(samples)).numpy()
    got = np.concatenate([levels.run_quantized(MARCH, feed)["pitch"] for feed in feeds])
    assert cosine(expected, got) >= MIN_COSINE
    errors = np.abs(torchcrepe.cents(got) - torchcrepe.cents_of_frequency(frequencies))
    assert np.median(errors) <= MAX_MEDIAN_CENTS
    assert np.all(errors < 50.0), "a quarter-tone off"
    assert_levels_equal(levels, MARCH, 2, feeds[:1])
