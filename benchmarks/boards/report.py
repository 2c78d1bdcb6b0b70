"""The report of a fit: a row per measurement, errors by march and by family, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.boards.fit import Quality, Row, quality
from benchmarks.boards.measurements import CHECKED, Left
from hbir.backend.march import Machine


@dataclass(frozen=True)
class Line:
    """A row of the table. Milliseconds; errors relative to what was measured."""

    march: str
    model: str
    family: str
    kind: str
    measured: float
    predicted: float
    held_out: float
    check: str = ""
    """Why it isn't counted; empty for the others."""

    @property
    def error(self) -> float:
        """Of the prediction by the march file."""
        return self.predicted / self.measured - 1.0

    @property
    def held_out_error(self) -> float:
        """Of the prediction by a fit without the row's family."""
        return self.held_out / self.measured - 1.0


def lines_of(
    rows: Sequence[Row], held_out: Sequence[Row], machines: dict[str, Machine]
) -> list[Line]:
    """Two lines a row: the saturated time of a frame and one thread's latency."""
    lines: list[Line] = []
    for row, other in zip(rows, held_out, strict=True):
        m = row.measured
        machine = machines[m.march]
        mine, held_out_of = row.predicted, other.predicted
        times = (
            (
                "rate",
                m.bpu_ms,
                mine.rate_ms(machine, m.in_flight),
                held_out_of.rate_ms(machine, m.in_flight),
            ),
            ("latency", m.latency_ms, mine.latency_ms(machine), held_out_of.latency_ms(machine)),
        )
        lines += [
            Line(m.march, m.model, m.family, kind, measured, predicted, held, m.check)
            for kind, measured, predicted, held in times
            if measured
        ]
    return lines


def table(lines: Sequence[Line], left: Sequence[Left]) -> str:
    """The report, as Markdown."""
    counted = [x for x in lines if not x.check]
    text = ["## Quality", "", *_quality_table(counted), "", *_by_family(counted), ""]
    text += ["## Rows", "", *_row_table(counted), "", "## Shown, not counted", ""]
    text += [f"- {part}: {why}" for part, why in CHECKED.items()]
    text += ["", *_row_table([x for x in lines if x.check])]
    text += ["", "## Not compared", "", "| march | network | why |", "| --- | --- | --- |"]
    text += [f"| {x.march} | {x.model} | {x.reason} |" for x in left]
    return "\n".join(text) + "\n"


def _row_table(lines: Sequence[Line]) -> list[str]:
    return [
        "| march | network | quantity | measured ms | predicted ms | error | family held out |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {x.march} | {x.model} | {x.kind} | {x.measured:.3f} | {x.predicted:.3f} |"
            f" {x.error:+.1%} | {x.held_out_error:+.1%} |"
            for x in lines
        ),
    ]


def _by_family(lines: Sequence[Line]) -> list[str]:
    """Errors of each family, held out: of its rows' signs, the median says which way it leans."""
    result = [
        "| family | rows | held out: median error | median of its size | largest |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for family in dict.fromkeys(x.family for x in lines):
        errors = sorted(x.held_out_error for x in lines if x.family == family)
        sizes = sorted(abs(error) for error in errors)
        result.append(
            f"| {family} | {len(errors)} | {statistics.median(errors):+.1%} |"
            f" {statistics.median(sizes):.1%} | {sizes[-1]:.1%} |"
        )
    return result


def _quality_table(lines: Sequence[Line]) -> list[str]:
    result = [
        "| march | quantity | rows | median error | 90th percentile | Spearman |"
        " held out: median | 90th percentile | Spearman |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for march in [*dict.fromkeys(x.march for x in lines), "all"]:
        for kind in ("rate", "latency"):
            mine = [x for x in lines if march in (x.march, "all") and x.kind == kind]
            if mine:
                measured = [x.measured for x in mine]
                own = quality([x.predicted for x in mine], measured)
                held = quality([x.held_out for x in mine], measured)
                result.append(
                    f"| {march} | {kind} | {len(mine)} | {_cells(own)} | {_cells(held)} |"
                )
    return result


def _cells(q: Quality) -> str:
    return f"{q.median:.1%} | {q.percentile_90:.1%} | {q.spearman:.3f}"


HEADER = """# Predicted against measured

Written by `python -m tools.fit_march --fit --report docs/boards.md --record` with hbir {version}:
public board measurements whose graph can be built, and what the timeline at O2 says of them. "rate"
is milliseconds between frames of a core for which several threads start frames (all cores busy
where the board's were, sharing the DDR), "latency" that of one thread, a launch included. In the
last column the row's whole family of networks took no part in the fit; its schedule is that of the
march file. Sources and reading rules: `benchmarks/boards/measurements.py`.

Five numbers a march are solved for: cycles per pass of the tensor engine, bytes per cycle of the
vector and of the layout engine, the DDR (a core's port on one core), and what starting a function
call costs. On nash-e and -m the first is held near the published static table of ResNet-50 (see
[resnet50.md](resnet50.md)), the DDR near a published rate. Families count alike, however many
sizes and tasks of a network were measured. Then two numbers say what the host adds to a frame's
latency: a launch, and a rate at which it hands over inputs and outputs. Few threads don't keep a
core busy with a small network, so a rate is never above frames in flight over latency. The unrolls,
the rule for groups, passes of vector operations and the on-chip size were chosen among few
candidates on the same rows. Nothing belongs to one network.

What is not known of the boards' graphs, and is assumed alike for all: int8 throughout, no
dequantize at the outputs, three input bytes a pixel where NV12 has one and a half.

## Where it errs

- Classifiers with many weights (YOLOv8l-cls, x-cls) are predicted too fast. Measured times are
  nearly those of loading the weights plus those of computing; ours loads weights ahead under the
  computation, as far as 16 MiB on chip allow. Boards seem to load less far ahead.
- SigLIP is predicted too fast, most where sequences are short: a quarter at 256 tokens, a twentieth
  at 576 and 1024. Between S100 and S100P the times go with the BPU's clock, so it isn't DDR; what
  a quarter of the time goes to at 256 tokens, the published rows don't tell. Their accuracy, which
  is that of float, suggests int16 in places that aren't published. Already in the model: a layer
  norm takes eight passes, mostly int16 (a public log of a vision transformer), and a linear layer
  has one row of tokens, padded to the tensor engine's eight.
- HENet at 704x1280 is predicted too slow, at 224x224 not: half of the time is GELU's table on
  large maps, and which blocks have a GELU is our reading.
- YOLOv9e on four cores of nash-p takes longer than on one (10.7 and 8.6 ms), as no other network
  does; the model has no cause for that.
- EfficientNet-Lite and MobileNetV2 take a fifth of a millisecond: what a function call costs, and
  what the host adds, are as large as the network.

"""
