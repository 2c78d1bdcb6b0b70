"""Every test image of the bundled model on every level, march and -O level: `make acceptance`.

`python -m tests.e2e.acceptance [--images N]`. The end-to-end tests run a slice of this; the whole
takes minutes. Prints a row per march and level, and exits with 1 when bits differ between the
levels, or when int8 loses more than half a point of accuracy against float.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.e2e import mnist
from tests.e2e.levels import (
    MARCHES,
    OPTIMIZATION_LEVELS,
    Array,
    Feed,
    Network,
    assert_levels_equal,
)
from tests.models.float_reference import FloatReference

ACCURACY_LOSS = 0.005


@dataclass
class Row:
    """The verdict on one march and -O level; `difference` is "" when all bits are equal."""

    march: str
    opt: int
    accuracy: float
    seconds: float
    difference: str


def _accuracy(outputs: list[Feed], labels: Array) -> float:
    hits = [
        o[mnist.OUTPUT_NAME].argmax() == label for o, label in zip(outputs, labels, strict=True)
    ]
    return sum(map(int, hits)) / len(hits)


def _judge(network: Network, march: str, opt: int, feeds: list[Feed], labels: Array) -> Row:
    start = time.perf_counter()
    difference = ""
    try:
        title = f"{march} O{opt}"
        assert_levels_equal(network, march, opt, track(feeds, title, transient=True))
    except AssertionError as error:
        difference = str(error)
    seconds = time.perf_counter() - start
    outputs = [network.run_quantized(march, feed) for feed in feeds]
    return Row(march, opt, _accuracy(outputs, labels), seconds, difference)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 when everything holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.acceptance", description=__doc__)
    parser.add_argument("--images", type=int, default=1000, help="how many test images (all: 1000)")
    count: int = parser.parse_args(arguments).images
    images, labels = (part[:count] for part in mnist.digits("test"))
    feeds = mnist.feeds(images)
    reference = FloatReference(mnist.MODEL)
    float_accuracy = _accuracy([reference(feed) for feed in feeds], labels)
    table = Table(title=f"bundled model, {len(feeds)} test images, float {float_accuracy:.2%}")
    for column in ("march", "level", "int8", "bits equal", "seconds"):
        table.add_column(column)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        network = mnist.calibrated_network(Path(folder))
        for march in MARCHES:
            for opt in OPTIMIZATION_LEVELS:
                row = _judge(network, march, opt, feeds, labels)
                rows.append(row)
                table.add_row(
                    march,
                    f"O{opt}",
                    f"{row.accuracy:.2%}",
                    row.difference or "yes",
                    f"{row.seconds:.0f}",
                )
    Console().print(table)
    lost = [row for row in rows if row.accuracy < float_accuracy - ACCURACY_LOSS]
    return 1 if lost or any(row.difference for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
