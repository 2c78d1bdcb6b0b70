"""The rendered pages say what the code says."""

from tools.render_docs import stale_pages


def test_reference_pages_are_fresh() -> None:
    assert stale_pages() == [], "run python tools/render_docs.py"
