"""The HTML report in a browser: it draws without a network, zooms, and its layer table sorts."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import hbir
from tests.e2e import mnist
from tests.e2e.chromium import chromium, keep_screenshot, needs_chromium

pytestmark = needs_chromium

PLOTS = ("Engines: every instruction", "DDR bandwidth (GB/s)", "On-chip memory (KiB)")
ROOFLINE = "Roofline: one point per layer"
TITLES = "Bokeh.documents[0].roots().map(plot => plot.title.text)"
TIME_RANGE = (
    "[Bokeh.documents[0].roots()[0].x_range.start, Bokeh.documents[0].roots()[0].x_range.end]"
)
TIME_RANGES = "new Set(Bokeh.documents[0].roots().slice(0, 3).map(plot => plot.x_range.id)).size"
# Bokeh puts each plot's canvas into shadow roots; a drawn one has opaque, coloured pixels.
COLOURED = """() => {
  const canvases = [];
  const walk = node => {
    for (const child of node.querySelectorAll("*")) {
      if (child.tagName === "CANVAS") canvases.push(child);
      if (child.shadowRoot) walk(child.shadowRoot);
    }
  };
  walk(document);
  return canvases.map(canvas => {
    if (!canvas.width || !canvas.height) return 0;
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
      const spread = Math.max(data[i], data[i+1], data[i+2]) - Math.min(data[i], data[i+1], data[i+2]);
      if (data[i + 3] > 200 && spread > 60) coloured++;
    }
    return coloured;
  }).filter(count => count > 0);
}"""


@dataclass
class Opened:
    page: Page
    problems: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Generator[Opened]:
    folder = tmp_path_factory.mktemp("report")
    network = mnist.calibrated_network(folder)
    assert hbir.hbm_perf(network.program("nash-e", 2), folder) == 0
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        result = Opened(page)
        page.on("pageerror", lambda error: result.problems.append(str(error)))
        page.on(
            "console",
            lambda line: result.problems.append(line.text) if line.type == "error" else None,
        )
        page.on("request", lambda request: result.requests.append(request.url))
        page.goto((folder / "mnist.html").as_uri())
        page.wait_for_function(
            "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
        )
        yield result


def test_it_draws_all_plots_without_a_network(opened: Opened) -> None:
    keep_screenshot(opened.page, "report")
    assert opened.problems == []
    assert [Path(url).name for url in opened.requests] == ["mnist.html"]
    assert opened.page.evaluate(TITLES) == [*PLOTS, ROOFLINE]
    assert len(opened.page.evaluate(COLOURED)) >= len(PLOTS) + 1


def test_zooming_one_plot_zooms_all_over_time(opened: Opened) -> None:
    page = opened.page
    assert page.evaluate(TIME_RANGES) == 1
    before: list[float] = page.evaluate(TIME_RANGE)
    box: Any = page.locator(".bk-Figure").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"{TIME_RANGE}[1] - {TIME_RANGE}[0] < {before[1] - before[0]}")
    zoomed: list[float] = page.evaluate(TIME_RANGE)
    assert before[0] <= zoomed[0] < zoomed[1] <= before[1]


def test_the_layer_table_sorts_by_number_both_ways(opened: Opened) -> None:
    page = opened.page
    column = "#layers tbody tr td:nth-child(2)"
    operations = [int(text) for text in page.locator(column).all_inner_texts()]
    assert len(operations) > 5
    for expected in (sorted(operations), sorted(operations, reverse=True)):
        page.locator("#layers th", has_text="ops").first.click()
        assert [int(text) for text in page.locator(column).all_inner_texts()] == expected
