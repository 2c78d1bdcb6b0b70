"""Detectors, segmenters, image and sequence networks in plain torch through every level."""

from pathlib import Path

import pytest

from benchmarks.architectures.networks import OTHERS
from tests.e2e.architectures import check_architecture


@pytest.mark.parametrize("name", OTHERS)
def test_network(name: str, tmp_path: Path) -> None:
    check_architecture(name, tmp_path)
