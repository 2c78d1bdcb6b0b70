"""The tools: what they find in a network that loses at a known place, and the files they write."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

import hbir
import hbir.onnx
from hbir import calibrate
from hbir.errors import HbirError
from hbir.ptq import stages
from hbir.ptq.debugger import (
    get_channelwise_data_distribution,
    get_sensitivity_of_nodes,
    plot_acc_error,
    plot_distribution,
    runall,
    sensitivity_analysis,
    tensor_analysis,
)
from hbir.ptq.debugger.calibrated import CalibratedModel, load_calibrated
from hbir.ptq.debugger.metrics import COSINE, METRICS, measure
from hbir.ptq.debugger.pictures import (
    LONGEST_LABEL,
    curves,
    figure,
    file_names,
    metric_label,
    save,
    shortened,
    title,
)
from hbir.quantization.dtypes import DtypeChoice
from tests.unit.ptq.uneven_network import SHAPE, Array, calibrated, float_network, samples

PNG = b"\x89PNG"

T = TypeVar("T")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The calibrated network in the forms that users have it, and the samples as a folder."""
    folder = tmp_path_factory.mktemp("model")
    hbir.save(calibrated(), folder / "net.bc")
    stages.write_calibrated(calibrated(), folder / "net_calibrated_model.onnx")
    (folder / "data").mkdir()
    for index, sample in enumerate(samples()):
        np.save(folder / "data" / f"{index}.npy", sample)
    return {
        "bc": folder / "net.bc",
        "onnx": folder / "net_calibrated_model.onnx",
        "data": folder / "data",
    }


# ------------------------------------------------------------------------------ switches


def test_without_roundings_it_is_the_float_network() -> None:
    model = CalibratedModel(calibrated())
    (wanted,) = float_network().functions[0].feed({"x": samples()[0]}).values()
    (found,) = model.run([samples()[0]], (), model.output_slots).values()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)


def test_with_all_it_is_what_the_qat_module_computes_with_rounded_weights() -> None:
    model = CalibratedModel(calibrated())
    every = {rounding.step for rounding in model.roundings}
    (found,) = model.run([samples()[0]], every, model.output_slots).values()
    rounded = stages.calibrated_float(calibrated())
    (wanted,) = rounded.functions[0].feed({"x": samples()[0]}).values()
    np.testing.assert_array_equal(found, wanted)


def test_sixteen_bits_are_closer_than_eight() -> None:
    model = CalibratedModel(calibrated())
    every = {rounding.step for rounding in model.roundings}
    errors: list[float] = []
    for wider in ((), every):
        slots = model.output_slots
        wanted = model.run([samples()[0]], (), slots)
        found = model.run([samples()[0]], every, slots, wider=wider)
        errors.append(measure("mse", *(next(iter(r.values())) for r in (wanted, found))))
    assert errors[1] < errors[0] / 1000


FLOAT16: dict[str, DtypeChoice] = {"conv2": "int16", "conv3": "float16"}


@pytest.mark.parametrize("kind", ["module", "onnx"])
def test_the_reference_has_no_float16_and_no_int16(kind: str, tmp_path: Path) -> None:
    module = calibrate(float_network(), [{"x": x} for x in samples()], dtype=FLOAT16)
    stages.write_calibrated(module, tmp_path / "net_calibrated_model.onnx")
    given = module if kind == "module" else tmp_path / "net_calibrated_model.onnx"
    model = load_calibrated(given)
    forms = {rounding.node: rounding.dtype for rounding in model.roundings}
    assert forms == {
        **dict.fromkeys(("w1_HzCalibration", "w2_HzCalibration", "w3_HzCalibration"), "int8"),
        "x_HzCalibration": "int8",
        "b_HzCalibration": "int16",
        "d_HzCalibration": "int8",
        "y/float16": "float16",
    }
    (wanted,) = float_network().functions[0].feed({"x": samples()[0]}).values()
    (found,) = model.run([samples()[0]], (), model.output_slots).values()
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)
    one = model.chosen("y/float16")["y/float16"]
    (rounded,) = model.run([samples()[0]], one, model.output_slots).values()
    assert 0 < np.abs(rounded - found).max() / np.abs(found).max() < 2.0**-11


def test_a_rounded_output_keeps_its_name(tmp_path: Path) -> None:
    widths: dict[str, DtypeChoice] = {"conv3": {"output": "int16"}}
    module = calibrate(float_network(), [{"x": x} for x in samples()], dtype=widths)
    stages.write_calibrated(module, tmp_path / "net_calibrated_model.onnx")
    for given in (module, tmp_path / "net_calibrated_model.onnx"):
        assert "y_HzCalibration" in load_calibrated(given).of_kind("activation")


def test_a_files_nodes_go_by_each_name_and_by_all_of_them(tmp_path: Path) -> None:
    from tests.e2e import mnist

    module = hbir.onnx.export(mnist.MODEL)
    network = hbir.calibrate(module, mnist.feeds(mnist.digits("calib")[0][:1]))
    stages.write_calibrated(network, tmp_path / "m_calibrated_model.onnx")
    of_file, of_module = (
        load_calibrated(tmp_path / "m_calibrated_model.onnx"),
        load_calibrated(network),
    )
    assert list(of_file.nodes) == list(of_module.nodes)
    assert list(of_file.results) == list(of_module.results)
    for model in (of_file, of_module):
        names = ("project", "project_bn", "project+project_bn")
        assert len(set(model.chosen(names).values())) == 1
        assert len({model.output_of(name) for name in names}) == 1


# ------------------------------------------------------------------------------ sensitivity


def test_the_node_with_uneven_channels_is_the_most_sensitive(tmp_path: Path) -> None:
    found = get_sensitivity_of_nodes(
        calibrated(), ["mse", COSINE], {"x": samples()}, data_num=None, save_dir=tmp_path
    )
    assert list(found) == ["conv2", "conv1", "conv3"]
    errors = [float(values["mse"]) for values in found.values()]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[1]
    log = (tmp_path / "node_sensitivity" / "sensitivity_of_node.log").read_text().splitlines()
    assert log[1].split() == ["node", "mse", COSINE]
    assert [line.split()[0] for line in log[3:]] == list(found)


def test_a_nodes_sensitivity_is_that_of_the_network_with_it_alone_rounded() -> None:
    """The oracle rounds the last layer's weights by hand."""
    (found,) = get_sensitivity_of_nodes(
        calibrated(), "mse", {"x": samples()}, interested_nodes="w3_HzCalibration"
    ).values()
    function = float_network().functions[0]
    wanted = next(iter(function.feed({"x": samples()[0]}).values()))
    weights = np.random.default_rng(0)
    weights.normal(size=(4, 3, 3, 3))
    third = weights.normal(size=(2, 4, 1, 1)).astype(np.float32)
    scale = np.abs(third).max(axis=(1, 2, 3), keepdims=True) / 127
    rounded = np.rint(third / scale) * scale
    hidden: dict[str, Array] = {}
    function.feed({"x": samples()[0]}, lambda name, array, op: hidden.update({name: array}))
    d = hidden["d"]
    layer = d if d.shape[1] == 4 else d.transpose(0, 3, 1, 2)
    direct: Array = np.einsum("nchw,oc->nohw", layer, rounded[:, :, 0, 0])
    expected = float(np.mean(np.square(direct - wanted)))
    assert float(found["mse"]) == pytest.approx(expected, rel=1e-2)


def test_a_node_is_found_by_each_name_fused_into_it() -> None:
    from tests.e2e import mnist

    module = hbir.onnx.export(mnist.MODEL)
    feeds = mnist.feeds(mnist.digits("calib")[0][:1])
    network = hbir.calibrate(module, feeds)
    model = load_calibrated(network)
    (steps,) = model.chosen(["project_bn"]).values()
    assert model.chosen(["project"])["project"] == steps


@pytest.mark.parametrize("kind", ["weight", "activation"])
def test_of_weights_and_activations_by_their_calibration_nodes(kind: str, tmp_path: Path) -> None:
    found = get_sensitivity_of_nodes(
        calibrated(), calibrated_data={"x": samples()}, node_type=kind, save_dir=tmp_path
    )
    names = {"weight": {"w1", "w2", "w3"}, "activation": {"x", "b", "d"}}[kind]
    assert set(found) == {f"{name}_HzCalibration" for name in names}
    assert (tmp_path / "node_sensitivity" / f"sensitivity_of_{kind}.log").exists()


def test_a_file_says_the_same_as_the_module(files: dict[str, Path]) -> None:
    wanted = get_sensitivity_of_nodes(calibrated(), "mse", {"x": samples()}, data_num=2)
    for kind in ("bc", "onnx"):
        found = get_sensitivity_of_nodes(files[kind], "mse", files["data"], data_num=2)
        names = [name.partition("/")[0] for name in found]
        assert names == list(wanted)
        for mine, theirs in zip(found.values(), wanted.values(), strict=True):
            assert float(mine["mse"]) == pytest.approx(float(theirs["mse"]), rel=1e-3)


def test_an_output_node_is_compared_in_the_middle() -> None:
    found = get_sensitivity_of_nodes(
        calibrated(), "mse", {"x": samples()}, output_node="relu1", node_type="activation"
    )
    errors = {name: float(values["mse"]) for name, values in found.items()}
    assert errors["x_HzCalibration"] > 0
    assert errors["d_HzCalibration"] == 0  # what comes later changes nothing there


# ------------------------------------------------------------------------------ pictures


def test_pictures_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    data = {"x": samples()}
    for folder in (tmp_path / "a", tmp_path / "b"):
        plot_distribution(calibrated(), data, ["conv2"], folder)
        get_channelwise_data_distribution(calibrated(), data, ["conv2"], save_dir=folder)
    for name in ("data_distribution/conv2.png", "channelwise_distribution/conv2.png"):
        first, second = ((tmp_path / which / name).read_bytes() for which in "ab")
        assert first.startswith(PNG)
        assert first == second


def test_the_error_grows_from_node_to_node(tmp_path: Path) -> None:
    data = {"x": samples()}
    (everything,) = plot_acc_error(data, calibrated(), metric="sqnr", save_dir=tmp_path).values()
    assert list(everything) == ["conv1", "relu1", "conv2", "relu2", "conv3"]
    assert everything["conv3"] < everything["conv1"]
    both = plot_acc_error(
        data, calibrated(), [["weight"], ["activation"]], metric="mse", save_dir=tmp_path
    )
    assert list(both) == ["only weight", "only activation"]
    assert both["only weight"] != both["only activation"]
    rest = plot_acc_error(
        data, calibrated(), non_quantize_node=["conv2"], metric="mse", save_dir=tmp_path
    )
    assert rest["all but conv2"]["conv3"] < both["only activation"]["conv3"]
    for metric in ("sqnr", "mse"):
        assert (tmp_path / "accumulate_error" / f"{metric}.png").read_bytes().startswith(PNG)
        assert "conv3" in (tmp_path / "accumulate_error" / f"{metric}.log").read_text()


def test_average_mode_is_the_mean_so_far(tmp_path: Path) -> None:
    data = {"x": samples(1)}
    (plain,) = plot_acc_error(data, calibrated(), metric="mse", save_dir=tmp_path).values()
    (mean,) = plot_acc_error(
        data, calibrated(), metric="mse", average_mode=True, save_dir=tmp_path
    ).values()
    assert mean["conv3"] == pytest.approx(np.mean(list(plain.values())))


@pytest.mark.parametrize("qtype", ["float32", "int16"])
def test_the_analysis_recovers_node_by_node(qtype: str, tmp_path: Path) -> None:
    found = sensitivity_analysis(
        calibrated(), {"x": samples()}, "mse", 0.0, None, qtype=qtype, save_dir=tmp_path
    )
    assert list(found.sensitive) == ["conv2", "conv1", "conv3"]
    errors = [values["output"] for values in found.recovered.values()]
    assert errors[0] > 3 * errors[1] > 3 * errors[-1]
    if qtype == "float32":
        assert errors[-1] == 0
    table = (tmp_path / "sensitivity_analysis" / "sensitive_nodes.log").read_text()
    assert table.count("\n") == 3 + 4
    assert (tmp_path / "sensitivity_analysis" / "output.png").exists()


def test_int16_is_what_a_quant_config_makes_of_it(tmp_path: Path) -> None:
    """What the node reads has 16 bits, its weights stay at 8."""
    found = sensitivity_analysis(
        calibrated(), {"x": samples(1)}, "mse", sensitive_nodes="conv2", qtype="int16",
        save_dir=tmp_path,
    )  # fmt: skip
    model = CalibratedModel(calibrated())
    every = {rounding.step for rounding in model.roundings}
    wider = model.chosen("b_HzCalibration")["b_HzCalibration"]
    (wanted,) = model.run([samples()[0]], (), model.output_slots).values()
    (given,) = model.run([samples()[0]], every, model.output_slots, wider=wider).values()
    assert found.recovered["conv2"]["output"] == pytest.approx(measure("mse", wanted, given))


def test_outputs_of_the_analysis_have_their_names_apart(tmp_path: Path) -> None:
    found = sensitivity_analysis(
        calibrated(), {"x": samples()}, output_separated=True, save_dir=tmp_path
    )
    assert set(found.recovered["all quantized"]) == {"y"}
    assert (tmp_path / "sensitivity_analysis" / "y.png").exists()


def test_statistics_of_tensors_are_those_of_all_samples(tmp_path: Path) -> None:
    found = tensor_analysis(calibrated(), {"x": samples()}, ["conv1"], tmp_path, num_processes=2)
    assert set(found) == {"x", "w1"}
    every = np.concatenate(samples())
    assert found["x"]["min"] == every.min()
    assert found["x"]["max"] == every.max()
    assert found["x"]["std"] == pytest.approx(every.std(), rel=1e-6)
    assert found["x"]["sqnr"] > 30
    for column, share in (("p0.01", 0.01), ("p99.99", 99.99)):
        exact = np.percentile(every, share, method="inverted_cdf")
        assert found["x"][column] == pytest.approx(exact, abs=2.0**-12 * float(np.abs(every).max()))
    assert (tmp_path / "tensor_analysis" / "x.png").read_bytes().startswith(PNG)


def test_all_weights_are_a_picture_each(tmp_path: Path) -> None:
    files = plot_distribution(calibrated(), {"x": samples(1)}, "weight", tmp_path)
    assert [path.name for path in files] == [f"w{i}_HzCalibration.png" for i in (1, 2, 3)]


def test_an_axis_is_that_of_the_users_tensor(tmp_path: Path) -> None:
    """Activations are N, C, H, W there: 1 is what is taken by default."""
    pictures: list[bytes] = []
    for axis in (None, 1, 2):
        (path,) = get_channelwise_data_distribution(
            calibrated(), {"x": samples(1)}, "b_HzCalibration", axis, tmp_path
        )
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    """No mathematics between dollars, no entry hidden by its underscore, no file written twice."""
    drawn, (axes,) = figure(names=2)
    long = "model." * 20 + "conv"
    curves(axes, ["$\\a$", long], {"_a": [1, 2], "$\\b$": [2, 300]}, "mse", "node")
    title(axes, "$\\frac$")
    assert save(drawn, tmp_path / "a.png").read_bytes().startswith(PNG)
    assert axes.get_yscale() == "log"
    assert len(shortened(long)) == LONGEST_LABEL
    assert len(axes.get_legend().get_texts()) == 2
    names = file_names(["a/b", "a_b", "A b", "/", ".."])
    assert list(names.values()) == ["a_b", "a_b_2", "A_b_3", "_", "__2"]
    assert metric_label("sqnr") == "sqnr (dB), higher is closer"


def test_weights_that_are_integers_already_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stages.write_ptq(calibrated(), tmp_path / "net_ptq_model.onnx")
    with caplog.at_level("WARNING", logger="hbir.ptq"):
        load_calibrated(tmp_path / "net_ptq_model.onnx")
    assert "weights that are integers already" in caplog.text


def test_runall_writes_every_folder(tmp_path: Path) -> None:
    runall(calibrated(), {"x": samples(1)}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "node_sensitivity",
        "data_distribution",
        "channelwise_distribution",
        "accumulate_error",
        "sensitivity_analysis",
    }
    logs = {path.name for path in (tmp_path / "node_sensitivity").iterdir()}
    assert logs == {f"sensitivity_of_{kind}.log" for kind in ("node", "weight", "activation")}


# ------------------------------------------------------------------------------ metrics, errors


def test_metrics_against_their_definitions() -> None:
    x = np.asarray([[1.0, -2.0], [0.0, 4.0]], np.float32)
    y = np.asarray([[1.5, -2.0], [1.0, 3.0]], np.float32)
    found = {name: measure(name, x, y) for name in METRICS}
    assert found["mse"] == pytest.approx(2.25 / 4)
    assert found["mae"] == pytest.approx(2.5 / 4)
    assert found["mre"] == pytest.approx((0.5 + 0 + 0.25) / 3)
    assert found["chebyshev"] == 1
    assert found["sqnr"] == pytest.approx(10 * np.log10(21 / 2.25))
    assert found[COSINE] == pytest.approx(17.5 / np.sqrt(21 * 16.25))
    assert measure("sqnr", x, x) == float("inf")


def test_mistakes_are_named(tmp_path: Path) -> None:
    data = {"x": samples(1)}
    with pytest.raises(HbirError, match="no quantized node, weight or tensor 'conv9'; did you"):
        get_sensitivity_of_nodes(calibrated(), calibrated_data=data, interested_nodes="conv9")
    with pytest.raises(HbirError, match=r"tensor 'zzz'; its nodes are conv1, conv2, conv3$"):
        plot_distribution(calibrated(), data, "zzz", tmp_path)
    with pytest.raises(HbirError, match="no node is named"):
        plot_distribution(calibrated(), data, [], tmp_path)
    with pytest.raises(HbirError, match="computes no node 'rel1'; did you mean 'relu1'"):
        get_sensitivity_of_nodes(calibrated(), calibrated_data=data, output_node="rel1")
    with pytest.raises(HbirError, match="sample 0: input 'x' holds nan or inf"):
        plot_acc_error([np.full(SHAPE, np.nan, np.float32)], calibrated(), save_dir=tmp_path)
    with pytest.raises(HbirError, match="must be a folder, a sequence of arrays, or a dict"):
        plot_acc_error(iter(samples(1)), calibrated(), save_dir=tmp_path)  # pyright: ignore[reportArgumentType] - the mistake
    with pytest.raises(HbirError, match="there is no metric 'psnr'; metrics are cosine"):
        get_sensitivity_of_nodes(calibrated(), "psnr", data)
    with pytest.raises(HbirError, match="level qat\\), this one is float"):
        load_calibrated(float_network())
    with pytest.raises(HbirError, match="use quantize_node 'weight'"):
        plot_acc_error(data, calibrated(), non_quantize_node=["weight"], save_dir=tmp_path)
    with pytest.raises(HbirError, match="not both"):
        plot_acc_error(data, calibrated(), ["conv1"], ["conv2"], save_dir=tmp_path)
    with pytest.raises(HbirError, match="qtype must be one of float32, int16"):
        sensitivity_analysis(calibrated(), data, qtype="int4", save_dir=tmp_path)
    with pytest.raises(HbirError, match="axis 7 is not one of"):
        get_channelwise_data_distribution(calibrated(), data, "conv1", 7, tmp_path)
    with pytest.raises(HbirError, match="sample 0: input 'x' has shape"):
        get_sensitivity_of_nodes(calibrated(), calibrated_data=[np.zeros((3, 8, 8))])


def test_without_matplotlib_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(HbirError, match=r"pip install 'hbir\[debug\]'"):
        plot_distribution(calibrated(), {"x": samples(1)}, ["conv1"], tmp_path)
