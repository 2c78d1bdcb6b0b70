"""Networks behind the resizer: the same bits on every level, whatever image and roi a run brings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.backend.march import load_march
from hbir.compiler import ScheduleOptions, build_program, schedule_passes
from hbir.hbm.hbm import Graph
from hbir.hbm.reader import decode_program
from hbir.hbm.writer import encode_program
from hbir.passes.manager import PassManager
from tests.unit.cameras import camera_feed, camera_network

MARCHES = ("nash-e", "nash-m", "nash-p", "nash-h", "nash-b", "bayes", "bayes-e", "bernoulli2")


@settings(max_examples=25)
@given(
    st.integers(0, 100_000),
    st.sampled_from(MARCHES),
    st.integers(0, 2),
    st.integers(1, 4),
    st.booleans(),
)
def test_every_level_gives_the_same_bits(
    seed: int, march: str, opt: int, cores: int, little: bool
) -> None:
    """little: so little memory that the resized image is made in tiles, of which odd rows may be
    the first."""
    module = camera_network(seed, march)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "small.toml")
        path.write_text(
            f'name = "small"\ndescription = "little memory"\nextends = "{march}"\n[memory]\n'
            'l1_bytes = { value = 16384, origin = "assumed", source = "a test" }\n'
        )
        name = str(path) if little else march
        machine = load_march(name)
        scheduled = module.clone()
        options = ScheduleOptions(opt, min(cores, machine.cores) if opt == 1 else 1)
        PassManager(schedule_passes(name, options), verify=False).run(
            scheduled.context, scheduled.op
        )
        program = build_program(scheduled, machine, opt, cores=options.cores)
    program = decode_program(encode_program(program))
    graph = Graph(program, program.graphs[0])
    for feed in (camera_feed(module, seed), camera_feed(module, seed + 1)):
        expected = module.functions[0].feed(feed)
        for outputs in (scheduled.functions[0].feed(feed), graph.feed(feed)):
            for name, array in expected.items():
                np.testing.assert_array_equal(outputs[name], array, err_msg=name, strict=True)
