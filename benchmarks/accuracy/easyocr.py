"""EasyOCR's two networks as cases: CRAFT finds text on rendered pages, english_g2 reads lines."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.case import (
    CALIBRATION_SEED,
    EVALUATION_SEED,
    Array,
    Case,
    characters_right,
    exported,
    feeds,
)
from benchmarks.accuracy.outputs import cosine
from benchmarks.models import craft, english_g2
from tests.models.rendered_text import labelled_line, text_page

PAGE_SIDE = 256
PAGES_CALIBRATED, PAGES_JUDGED = 8, 12
LINES_CALIBRATED, LINES_JUDGED = 16, 60


def craft_case() -> Case:
    """Pages of 256x256, judged by the maps that float gives."""
    return Case(
        exported(craft.load(), (1, 3, PAGE_SIDE, PAGE_SIDE), ["maps"]),
        feeds(_pages(PAGES_CALIBRATED, CALIBRATION_SEED)),
        feeds(_pages(PAGES_JUDGED, EVALUATION_SEED)),
        "mean cosine of maps",
        lambda _, wanted, found: (cosine(wanted, found), 1.0),
        labelled=False,
    )


def _pages(count: int, seed: int) -> list[Array]:
    generator = np.random.default_rng(seed)
    pages = [text_page(generator, PAGE_SIDE, PAGE_SIDE)[0] for _ in range(count)]
    return [craft.image_input(page) for page in pages]


def english_g2_case() -> Case:
    """Lines that fit the input, judged by what they say."""
    seen, _ = _lines(LINES_CALIBRATED, CALIBRATION_SEED)
    judged, texts = _lines(LINES_JUDGED, EVALUATION_SEED)
    return Case(
        exported(english_g2.load(), (1, 1, english_g2.HEIGHT, english_g2.WIDTH), ["characters"]),
        feeds(seen),
        feeds(judged),
        "characters right",
        characters_right(texts, english_g2.CHARACTERS),
    )


def _lines(count: int, seed: int) -> tuple[list[Array], list[str]]:
    generator = np.random.default_rng(seed)
    inputs: list[Array] = []
    texts: list[str] = []
    while len(inputs) < count:
        text, line = labelled_line(generator)
        if line.shape[1] * english_g2.HEIGHT <= english_g2.WIDTH * line.shape[0]:
            inputs.append(english_g2.line_input(line))
            texts.append(text)
    return inputs, texts
