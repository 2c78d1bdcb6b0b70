"""Every key of the YAML file: one table, which the reader, the templates and the documents use.

Names, defaults and choices are those of the vendor's tool; so are the spellings of the older
generation (X3, J5) that are still taken, with a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REQUIRED: Any = object()
"""The default of a key that must be given."""

OPEN_SECTIONS = frozenset({"calibration_parameters"})
"""Sections whose unknown keys are taken with a warning."""

OPTIONAL_SECTIONS = frozenset({"custom_op"})

MARCHES = (
    "nash-b-lite", "nash-b", "nash-b-plus", "nash-e", "nash-m", "nash-p", "nash-starry-p", "nash-h",
)  # fmt: skip
LEGACY_MARCHES = ("bernoulli2", "bayes", "bayes-e")
MARCH_STAND_INS = {
    "nash-b-lite": "nash-b", "nash-b-plus": "nash-b", "nash-starry-p": "nash-p",
}  # fmt: skip
"""Marches without a machine description of their own → the one they are compiled with."""

REMOVABLE_TYPES = ("Quantize", "Transpose", "Dequantize", "Cast", "Reshape", "Softmax")
RUNTIME_TYPES = (
    "nv12", "yuv444", "rgb", "bgr", "gray", "featuremap", "yuv444_128", "yuv_bt601_full",
    "yuv_bt601_video",
)  # fmt: skip
LEGACY_RUNTIME_TYPES = {"yuv420sp_bt601_video": "yuv_bt601_video"}
TRAIN_TYPES = ("rgb", "bgr", "gray", "yuv444", "featuremap")
LAYOUTS = ("NCHW", "NHWC")
RANGES = ("regular", "bt601_video")
CALIBRATION_TYPES = ("kl", "max", "skip", "mix", "default", "load", "percentile", "mse")
COMPILE_MODES = ("latency", "bandwidth", "balance")
OPTIMIZE_LEVELS = ("O0", "O1", "O2")
LEGACY_OPTIMIZE_LEVELS = ("O3",)
CACHE_MODES = ("disable", "enable", "force_overwrite")
OPTIMIZATIONS = (
    "set_model_output_int8", "set_model_output_int16", "set_all_nodes_int16", "run_fast",
    "asymmetric", "bias_correction",
)  # fmt: skip
INPUT_SOURCES = ("pyramid", "ddr", "resizer")
ANY_INPUT = "_default_value"
"""Of input_source, in older templates: what holds for inputs of types that can have it."""
MAX_L2M_BYTES = 25_165_824
ALL_L2M = "all"
"""Of max_l2m_size: as much as there is; a file says None."""


@dataclass(frozen=True)
class Key:
    """A key of the YAML file.

    kind: the Python type of its value; `dict` takes a mapping, `str` also numbers, as YAML reads
    `mean_value: 128.0`. meaning: a sentence for users.
    """

    section: str
    name: str
    kind: type
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    deprecated: str = ""
    """What to do instead; a deprecated key is taken, warned about and ignored."""
    also: type | None = None
    """A second type that it may have."""
    never_empty: bool = False
    """Whether an empty text is a mistake, and not the same as nothing."""
    when_empty: Any = None
    """What `key: None` means, where that isn't the default."""


_MODEL = "model_parameters"
_INPUT = "input_parameters"
_CALIBRATION = "calibration_parameters"
_COMPILER = "compiler_parameters"
_CUSTOM = "custom_op"

KEYS: tuple[Key, ...] = (
    Key(_MODEL, "onnx_model", str, None, "The ONNX model."),
    Key(_MODEL, "caffe_model", str, None, "A Caffe model's weights; convert it to ONNX instead."),
    Key(_MODEL, "prototxt", str, None, "A Caffe model's structure."),
    Key(_MODEL, "march", str, REQUIRED, "The BPU to compile for.", MARCHES),
    Key(_MODEL, "working_dir", str, "./model_output", "Where results go; made when missing."),
    Key(_MODEL, "output_model_file_prefix", str, "model", "How results' file names begin.",
        never_empty=True),
    Key(_MODEL, "layer_out_dump", bool, False, "Add an output per conv-like op, for debugging."),
    Key(_MODEL, "output_nodes", str, None, "Nodes that the model is cut behind, joined by ';'."),
    Key(_MODEL, "remove_node_type", str, None,
        "Types of nodes removed at inputs and outputs: " + ", ".join(REMOVABLE_TYPES) + "."),
    Key(_MODEL, "remove_node_name", str, None, "Names of such nodes, joined by ';'."),
    Key(_MODEL, "node_info", str, None, "Per node: data types, and ON: BPU or CPU.", also=dict),
    Key(_MODEL, "debug_mode", str, None, "dump_calibration_data keeps what calibration saw.",
        ("dump_calibration_data",)),
    Key(_MODEL, "enable_vpu", bool, True, "Allow the vector unit."),
    Key(_MODEL, "enable_spu", bool, True, "Allow the scalar unit."),
    Key(_MODEL, "log_level", str, None, "", deprecated="the log file always has everything"),
    Key(_MODEL, "set_node_data_type", str, None, "", deprecated="use node_info"),
    Key(_INPUT, "input_name", str, None, "Inputs' names; needed for more than one."),
    Key(_INPUT, "input_type_rt", str, REQUIRED, "What the board feeds.", RUNTIME_TYPES),
    Key(_INPUT, "input_type_train", str, REQUIRED, "What the model was trained on.", TRAIN_TYPES),
    Key(_INPUT, "input_layout_train", str, None, "Layout in training.", LAYOUTS),
    Key(_INPUT, "input_space_and_range", str, "regular", "Range of an nv12 input.", RANGES),
    Key(_INPUT, "input_shape", str, None, "Shapes as 1x3x224x224, for dynamic inputs."),
    Key(_INPUT, "input_batch", int, None, "Batch of the deployed model."),
    Key(_INPUT, "separate_batch", bool, False, "Split the batch of every input into inputs."),
    Key(_INPUT, "separate_name", str, None, "Inputs whose batch is split, joined by ';'."),
    Key(_INPUT, "mean_value", str, None, "Subtracted per channel."),
    Key(_INPUT, "scale_value", str, None, "Multiplied per channel, after the mean."),
    Key(_INPUT, "std_value", str, None, "Divided by per channel, after the mean."),
    Key(_INPUT, "input_layout_rt", str, None, "", deprecated="it follows from input_type_rt"),
    Key(_INPUT, "norm_type", str, None, "",
        deprecated="it follows from mean_value, scale_value and std_value"),
    Key(_CALIBRATION, "cal_data_dir", str, None, "A folder of .npy files per input."),
    Key(_CALIBRATION, "calibration_type", str, "", "How ranges are found.", CALIBRATION_TYPES),
    Key(_CALIBRATION, "per_channel", bool, False, "A scale per channel of activations."),
    Key(_CALIBRATION, "max_percentile", float, None, "What part of |values| ranges keep."),
    Key(_CALIBRATION, "run_on_cpu", str, None, "Nodes kept on the CPU, joined by ';'."),
    Key(_CALIBRATION, "run_on_bpu", str, None, "Nodes put on the BPU, joined by ';'."),
    Key(_CALIBRATION, "optimization", str, None,
        "Shorthands, joined by ';': " + ", ".join(OPTIMIZATIONS) + "."),
    Key(_CALIBRATION, "quant_config", str, None, "Mixed precision: a JSON file, or the settings.",
        also=dict),
    Key(_CALIBRATION, "preprocess_on", bool, None, "", deprecated="prepare .npy files instead"),
    Key(_CALIBRATION, "cal_data_type", str, None, "", deprecated=".npy files know their dtype"),
    Key(_COMPILER, "compile_mode", str, "latency", "What is optimized.", COMPILE_MODES),
    Key(_COMPILER, "balance_factor", int, None, "0 (least DDR traffic) ... 100 (fewest cycles)."),
    Key(_COMPILER, "optimize_level", str, "O2", "How much is searched.", OPTIMIZE_LEVELS),
    Key(_COMPILER, "core_num", int, 1, "Cores that one frame is split over."),
    Key(_COMPILER, "max_time_per_fc", int, 0, "Most µs of a function call; 0 for no limit."),
    Key(_COMPILER, "jobs", int, 16, "Without effect: the compiler is one process."),
    Key(_COMPILER, "advice", float, 0.0, "Advise on ops slower than this many µs."),
    Key(_COMPILER, "debug", bool, True, "Without effect: layer details are always kept."),
    Key(_COMPILER, "input_source", dict, {}, "Input name: pyramid, ddr or resizer."),
    Key(_COMPILER, "cache_mode", str, "disable", "Reuse of earlier compilations.", CACHE_MODES),
    Key(_COMPILER, "cache_path", str, "", "Where they are kept."),
    Key(_COMPILER, "max_l2m_size", int, 0, f"Bytes of L2M, 0...{MAX_L2M_BYTES}; None for all.",
        when_empty=ALL_L2M),
    Key(_COMPILER, "ability_entry", str, None, "Without effect but for the description."),
    Key(_COMPILER, "extra_params", dict, {}, "Further arguments of compile."),
    Key(_COMPILER, "hbdk3_compatible_mode", bool, None, "", deprecated="there is one mode"),
    Key(_CUSTOM, "custom_op_method", str, None, "How custom ops come in.", ("register",)),
    Key(_CUSTOM, "op_register_files", str, None, "Python files that register them."),
    Key(_CUSTOM, "custom_op_dir", str, None, "The folder of those files."),
)  # fmt: skip

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(key.section for key in KEYS))


def keys_of(section: str) -> dict[str, Key]:
    """The keys of a section by name."""
    return {key.name: key for key in KEYS if key.section == section}
