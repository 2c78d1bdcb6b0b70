"""hb_analyzer's page in a browser: it draws without a network, and its layer table sorts."""

from __future__ import annotations

from pathlib import Path

from hbir.ptq.analyzer import PAGE, analyze
from tests.e2e import mnist
from tests.e2e.chromium import chromium, keep_screenshot, needs_chromium
from tests.e2e.test_report_page import COLOURED, TITLES

pytestmark = needs_chromium

PLOTS = ["Work by type (µs)", "Work by block (µs)", "Computing unit utilization (%)"]


def test_the_page_draws_and_sorts_without_a_network(tmp_path: Path) -> None:
    analyze(mnist.MODEL, "nash-e", folder=tmp_path)
    problems: list[str] = []
    requests: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((tmp_path / PAGE).as_uri())
        page.wait_for_function(
            "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
        )
        keep_screenshot(page, "analysis")
        assert problems == []
        assert [Path(url).name for url in requests] == [PAGE]
        assert page.evaluate(TITLES) == PLOTS
        assert len(page.evaluate(COLOURED)) >= len(PLOTS)
        column = "#layers tbody tr td:nth-child(2)"
        totals = [float(text) for text in page.locator(column).all_inner_texts()]
        assert totals == sorted(totals, reverse=True)
        page.locator("#layers th", has_text="total").click()
        after = [float(text) for text in page.locator(column).all_inner_texts()]
        assert after == sorted(totals)
        assert page.locator("#findings tr").count() >= 3
