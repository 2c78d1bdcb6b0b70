"""Text lines and pages drawn with Pillow: exact labels for the text networks, at any count.

Fonts are those that ship in packages (Pillow's own, and matplotlib's DejaVu), never the machine's,
so that the same seed draws the same picture everywhere.
"""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.models.packages import package_file

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

DEJAVU_FILES = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf")
_DICTIONARY = (
    "account airport always bridge camera castle coffee copper corner danger demand dinner double "
    "engine export family finger flower forest frozen garden ground harbor height island junction "
    "kitchen ladder letter market memory mirror modern Monday narrow number office orange packet "
    "paper people planet police quarter random reader report river school second shadow signal "
    "silver simple station street summer system Thursday ticket travel tunnel useful village "
    "volume warning window winter yellow"
)


# (top, left, bottom, right), in pixels
Box = tuple[int, int, int, int]


def _fonts(size: int) -> list[Font]:
    dejavu: list[Font] = []
    for name in DEJAVU_FILES:
        path = package_file("matplotlib", "matplotlib", f"mpl-data/fonts/ttf/{name}")
        dejavu.append(ImageFont.truetype(BytesIO(path.read_bytes()), size))
    return [ImageFont.load_default(size), *dejavu]


def _phrase(generator: np.random.Generator) -> str:
    words = [str(word) for word in generator.choice(_DICTIONARY.split(), generator.integers(1, 3))]
    if generator.random() < 0.4:
        words.append(str(generator.integers(10, 9999)))
    return " ".join(words)


def _colours(generator: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(ink, paper), dark on light or the reverse, far enough apart to read."""
    dark = tuple(int(v) for v in generator.integers(0, 90, 3))
    light = tuple(int(v) for v in generator.integers(170, 256, 3))
    return (dark, light) if generator.random() < 0.75 else (light, dark)


def text_line(generator: np.random.Generator) -> Picture:
    """One upright line of 1 to 3 words, cropped to its text with a margin: (H,W,3) uint8 RGB."""
    return labelled_line(generator)[1]


def labelled_line(generator: np.random.Generator) -> tuple[str, Picture]:
    """A `text_line`, and what it says."""
    fonts = _fonts(int(generator.integers(26, 44)))
    font = fonts[int(generator.integers(len(fonts)))]
    text = _phrase(generator)
    ink, paper = _colours(generator)
    left, top, right, bottom = font.getbbox(text)
    margin = int(generator.integers(3, 9))
    size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).text((margin - left, margin - top), text, fill=ink, font=font)
    return text, np.asarray(image)


def turn_around(line: Picture) -> Picture:
    """The line rotated by 180 degrees."""
    return np.ascontiguousarray(line[::-1, ::-1])


def text_page(
    generator: np.random.Generator, height: int, width: int, *, black_on_white: bool = False
) -> tuple[Picture, list[Box]]:
    """A page of lines at random places, (H,W,3) uint8 RGB, and where each line is.

    Ink and paper have random colours, far enough apart to read, unless asked for black on white.
    """
    ink, paper = ((0, 0, 0), (255, 255, 255)) if black_on_white else _colours(generator)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    boxes: list[Box] = []
    top = int(generator.integers(8, 24))
    while True:
        fonts = _fonts(int(generator.integers(16, 30)))
        font = fonts[int(generator.integers(len(fonts)))]
        text = _phrase(generator)
        x0, y0, x1, y1 = (int(v) for v in font.getbbox(text))
        if top + y1 - y0 > height - 8:
            return np.asarray(image), boxes
        if x1 - x0 <= width - 16:
            left = int(generator.integers(8, width - 8 - (x1 - x0) + 1))
            draw.text((left - x0, top - y0), text, fill=ink, font=font)
            boxes.append((top, left, top + y1 - y0, left + x1 - x0))
            top += y1 - y0 + int(generator.integers(12, 28))
