"""Shared by all tests: FileCheck files as pytest items, and hypothesis profiles."""

import os

from hypothesis import settings

from tests.plugins.filecheck_items import pytest_collect_file as pytest_collect_file

# Deadlines measure the machine, and random failures can't be bisected: CI draws the same examples
# every time. HYPOTHESIS_PROFILE=explore draws new ones, and more.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
