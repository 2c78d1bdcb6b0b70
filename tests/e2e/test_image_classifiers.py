"""Classifiers of images in plain torch, ViT and Swin among them, through every level."""

from pathlib import Path

import pytest

from benchmarks.architectures.networks import CLASSIFIERS
from tests.e2e.architectures import check_architecture


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier(name: str, tmp_path: Path) -> None:
    check_architecture(name, tmp_path)
