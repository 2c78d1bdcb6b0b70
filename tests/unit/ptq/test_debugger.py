"""The tools: what they find in a network that loses at a known place, and the files they write."""

from pathlib import Path

import numpy as np
import pytest

import hbir
import hbir.onnx
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
from tests.unit.ptq.uneven_network import Array, calibrated, float_network, samples

PNG = b"\x89PNG"


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
    assert (tmp_path / "tensor_analysis" / "x.png").read_bytes().startswith(PNG)


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
