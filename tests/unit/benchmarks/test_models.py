"""The networks whose real weights install only for the accuracy table have their published shapes.

That every published tensor has its place is checked where the weights are: `load_state_dict`.
"""

import pytest

pytest.importorskip("torch")

import torch

from benchmarks.models.craft import Craft
from benchmarks.models.english_g2 import CHARACTERS, EnglishG2
from benchmarks.models.mtcnn import SIDES, Mtcnn


def test_craft_gives_two_maps_of_half_the_size() -> None:
    with torch.no_grad():
        maps = Craft().eval()(torch.zeros(1, 3, 32, 64))
    assert maps.shape == (1, 16, 32, 2)


def test_craft_numbers_its_layers_as_published() -> None:
    """Slices end before a relu, whose number no slice has."""
    names = set(Craft().state_dict())
    assert {f"basenet.slice{n}.weight" for n in ("1.10", "2.17", "3.27", "4.37", "5.2")} <= names
    assert len(names) == 154


def test_english_g2_gives_characters_of_columns() -> None:
    with torch.no_grad():
        characters = EnglishG2().eval()(torch.zeros(1, 1, 64, 100))
    assert characters.shape == (1, 24, 97)
    assert len(set(CHARACTERS)) == 97


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("pnet", [(1, 2, 1, 1), (1, 4, 1, 1)]),
        ("rnet", [(1, 2), (1, 4)]),
        ("onet", [(1, 2), (1, 4), (1, 10)]),
    ],
)
def test_mtcnn_judges_a_window(name: str, shapes: list[tuple[int, ...]]) -> None:
    side = SIDES[name]
    with torch.no_grad():
        outputs = Mtcnn(name).eval()(torch.zeros(1, 3, side, side))
    assert [tuple(output.shape) for output in outputs] == shapes
    assert float(outputs[0].sum()) == pytest.approx(1.0)
