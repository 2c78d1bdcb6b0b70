"""`hb_config_generator`: a YAML file to start from, filled in from a model where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from hbir.cli.hb_command import LOG, HbParser, run_hb_command
from hbir.errors import HbirError
from hbir.files import write_file
from hbir.ptq.keys import LEGACY_MARCHES, MARCHES
from hbir.ptq.model_inputs import march_of, model_inputs
from hbir.ptq.templates import template

TOOL = "hb_config_generator"
FILES = {False: "simple_compile_config.yaml", True: "full_compile_config.yaml"}
"""full → the file that is written into the working directory."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_hb_command(TOOL, lambda: _generate(argv))


def _generate(argv: Sequence[str] | None) -> None:
    parser = HbParser(TOOL, "Write a YAML file for hb_compile into the working directory.")
    add = parser.add_argument
    add("-s", "--simple-yaml", action="store_true", help="the keys that most users set")
    add("-f", "--full-yaml", action="store_true", help="every key, with what it means")
    add("-c", "--custom-op", action="store_true", help="without effect")
    add("-m", "--model", help="a .onnx or .bc to fill it in from")
    add("-p", "--proto", help="of a Caffe model")
    add("--march", choices=(*MARCHES, *LEGACY_MARCHES))
    options = parser.parse_args(argv)
    if not options.simple_yaml and not options.full_yaml:
        raise HbirError("Please specify one mode to run: -s/--simple-yaml or -f/--full-yaml")
    if options.simple_yaml and options.full_yaml:
        raise HbirError("We only support specify one mode: -s/--simple-yaml or -f/--full-yaml")
    if options.custom_op:
        LOG.warning("-c/--custom-op has no effect; the full template has section custom_op")
    if options.proto and not options.model:
        raise HbirError("-p/--proto belongs to a Caffe model: give it with -m/--model")
    if options.proto or (options.model or "").endswith((".caffemodel", ".caffe")):
        raise HbirError(f"Unsupport model {options.model}: convert the Caffe model to ONNX first")
    inputs = model_inputs(options.model) if options.model else ()
    march = options.march or march_of(options.model)
    text = template(full=options.full_yaml, march=march, model=options.model, inputs=inputs)
    file = FILES[options.full_yaml]
    write_file(file, text.encode())
    LOG.info("%s: written", file)
