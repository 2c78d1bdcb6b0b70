"""What `visualize` writes, opened in Netron's own page: op types, node and tensor names are there.

It needs Chromium (Debian: chromium); skipped without. HBIR_SCREENSHOTS=FOLDER keeps a picture of each
page, to be looked at.
"""

from __future__ import annotations

import contextlib
import html
import re
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import netron  # pyright: ignore[reportMissingTypeStubs]  # it ships none
import onnx
import pytest
from playwright.sync_api import Page, Route

import hbir
from hbir.module import Module
from hbir.reports.prototxt import prototxt
from tests.e2e import mnist
from tests.e2e.chromium import chromium, keep_screenshot, needs_chromium

_onnx: Any = onnx  # its `load` is typed only in part

LEVELS = ("float", "qat", "quantized", "scheduled")
# Netron's page asks for an update 180 days after its release, and shows nothing else.
SHORTLY_AFTER_RELEASE = "2026-06-01"
# Netron shortens longer names of nodes.
WHOLE_NAME_LENGTH = 18
DRAWN = "body.default"
REDRAW_POLLS = 100
_SVG_TEXT = re.compile(r"<(?:text|tspan)[^>]*>([^<]+)<")

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Module]:
    network = mnist.calibrated_network(tmp_path_factory.mktemp("mnist"))
    return {
        "float": hbir.onnx.export(str(mnist.MODEL)),
        "qat": network.calibrated,
        "quantized": network.quantized("nash-e"),
        "scheduled": network.scheduled("nash-e", 2),
    }


@contextlib.contextmanager
def _served(file: str) -> Generator[str]:
    """The address at which Netron shows `file`."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        address: tuple[str, int] = ("localhost", listener.getsockname()[1])
    server: Any = netron
    server.start(file, address=address, browse=False)
    try:
        yield f"http://localhost:{address[1]}/"
    finally:
        server.stop(address)


@contextlib.contextmanager
def _page(home: str) -> Generator[Page]:
    """Netron's page, past its consent dialog, and without what it calls elsewhere."""

    def only_home(route: Route) -> None:
        if route.request.url.startswith(home):
            route.continue_()
        else:
            route.abort()

    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1600, "height": 1400})
        context.add_cookies([{"name": "consent", "value": "1", "url": home}])
        context.route("**/*", only_home)
        page = context.new_page()
        page.clock.set_fixed_time(SHORTLY_AFTER_RELEASE)
        page.goto(home)
        page.wait_for_selector(DRAWN, timeout=30_000)
        yield page


def _texts(page: Page) -> set[str]:
    """The texts of the drawing; from the page's source, because Netron forbids eval."""
    return {html.unescape(text).strip() for text in _SVG_TEXT.findall(page.content())}


def _texts_with(page: Page, expected: str) -> set[str]:
    """The texts of the drawing once `expected` is among them."""
    for _ in range(REDRAW_POLLS):
        if expected in _texts(page):
            break
        page.wait_for_timeout(100)
    return _texts(page)


def test_netron_shows_the_layers_of_a_compiled_model(tmp_path: Path) -> None:
    network = mnist.calibrated_network(tmp_path)
    program = network.program("nash-e", 2).program
    graph = program.graphs[0]
    file = tmp_path / "mnist.prototxt"
    file.write_text(prototxt(program, graph))
    with _served(str(file)) as home, _page(home) as page:
        types = _texts(page)
        page.keyboard.press("Control+u")
        names = _texts_with(page, "max_pool_id_4")
        keep_screenshot(page, "netron-prototxt")
    assert {layer.kind for layer in graph.layers} - {"copy", ""} <= types
    assert "max_pool_id_4" in names


@pytest.mark.parametrize("level", LEVELS)
def test_netron_shows_ops_and_names(stages: dict[str, Module], level: str, tmp_path: Path) -> None:
    file = hbir.visualize(stages[level], tmp_path / f"{level}.onnx")
    graph = _onnx.load(file).graph
    with _served(file) as home, _page(home) as page:
        types = _texts(page)
        page.keyboard.press("Control+u")  # names of nodes and tensors for types and shapes
        names = _texts_with(page, graph.node[1].output[0])
        keep_screenshot(page, f"netron-{level}")
    assert {node.op_type for node in graph.node} <= types
    assert {node.name for node in graph.node if len(node.name) <= WHOLE_NAME_LENGTH} <= names
    assert {name for node in graph.node for name in node.output} - names == set()
    assert {port.name for port in graph.input} <= names
