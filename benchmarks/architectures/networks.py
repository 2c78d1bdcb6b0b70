"""The architectures: how each is made, at a size to measure and at a small one for CI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from benchmarks.models import vit
from benchmarks.models.conformer import conformer
from benchmarks.models.convnext import convnext
from benchmarks.models.crepe import crepe
from benchmarks.models.deeplab import deeplab
from benchmarks.models.densenet import densenet
from benchmarks.models.detr import detr
from benchmarks.models.efficientdet import efficientdet
from benchmarks.models.efficientnet import efficientnet
from benchmarks.models.efficientnet_lite import efficientnet_lite
from benchmarks.models.espcn import espcn
from benchmarks.models.ghostnet import ghostnet
from benchmarks.models.googlenet import googlenet
from benchmarks.models.henet import henet
from benchmarks.models.hrnet import hrnet
from benchmarks.models.layers import randomize
from benchmarks.models.mlp_mixer import mlp_mixer
from benchmarks.models.mobilenet_v1 import mobilenet_v1
from benchmarks.models.mobilenet_v2 import mobilenet_v2
from benchmarks.models.mobilenet_v3 import mobilenet_v3
from benchmarks.models.pix2pix import pix2pix
from benchmarks.models.poolformer import poolformer
from benchmarks.models.pspnet import pspnet
from benchmarks.models.recurrent import recurrent
from benchmarks.models.regnet import regnet
from benchmarks.models.resnet import resnet
from benchmarks.models.segformer import segformer
from benchmarks.models.shufflenet_v2 import shufflenet_v2
from benchmarks.models.squeezenet import squeezenet
from benchmarks.models.swin import swin
from benchmarks.models.unet import unet
from benchmarks.models.vgg import vgg
from benchmarks.models.yolo import yolo

Shape = tuple[int, ...]

manual_seed = cast(Any, torch).manual_seed  # its own types are incomplete


@dataclass(frozen=True)
class Variant:
    """A network and the shape of its input."""

    make: Callable[[], nn.Module]
    shape: Shape

    def module(self) -> nn.Module:
        """The network with random weights, the same ones every time."""
        manual_seed(0)  # for parameters that `randomize` leaves as they are
        return randomize(self.make())

    def example(self) -> Tensor:
        """An input."""
        return torch.randn(self.shape, generator=torch.Generator().manual_seed(1))


@dataclass(frozen=True)
class Architecture:
    """An architecture at the size that is measured and at the size that CI takes."""

    measured: Variant
    small: Variant


def _vit(size: vit.Size, image: int, patch: int, head: str, classes: int) -> nn.Module:
    return vit.VisionTransformer(size, image, patch, head, classes).eval()


def _classifier(make: Callable[..., nn.Module], image: int, small: int) -> Architecture:
    """A classifier of images with the argument `classes`, at two sizes of its input."""
    few = Variant(partial(make, classes=10), (1, 3, small, small))
    return Architecture(Variant(make, (1, 3, image, image)), few)


_TINY = vit.Size(32, 2, 2, 64)

CLASSIFIERS: dict[str, Architecture] = {
    "VGG-16": Architecture(
        Variant(partial(vgg, 16, hidden=512, grid=1), (1, 3, 64, 64)),
        Variant(partial(vgg, 11, 10, 64, 1), (1, 3, 32, 32)),
    ),
    "ResNet-18": Architecture(
        Variant(partial(resnet, 18), (1, 3, 64, 64)), Variant(partial(resnet, 18), (1, 3, 32, 32))
    ),
    "ResNet-50": Architecture(
        Variant(partial(resnet, 50), (1, 3, 64, 64)), Variant(partial(resnet, 50), (1, 3, 32, 32))
    ),
    "MobileNetV1": _classifier(mobilenet_v1, 96, 32),
    "MobileNetV2": _classifier(mobilenet_v2, 96, 32),
    "MobileNetV3": _classifier(mobilenet_v3, 96, 32),
    "EfficientNet-B0": _classifier(efficientnet, 96, 32),
    "EfficientNet-Lite0": Architecture(
        Variant(partial(efficientnet_lite, 0), (1, 3, 96, 96)),
        Variant(partial(efficientnet_lite, 0), (1, 3, 32, 32)),
    ),
    "ShuffleNetV2": _classifier(shufflenet_v2, 96, 32),
    "SqueezeNet": _classifier(squeezenet, 96, 64),
    "DenseNet-121": Architecture(
        Variant(densenet, (1, 3, 64, 64)),
        Variant(partial(densenet, (2, 3, 2), 8, 10), (1, 3, 32, 32)),
    ),
    "GoogLeNet": _classifier(googlenet, 64, 64),
    "GhostNet": _classifier(ghostnet, 96, 32),
    "RegNetY": _classifier(regnet, 96, 32),
    "HENet": Architecture(
        Variant(partial(henet, "TinyM"), (1, 3, 64, 64)),
        Variant(partial(henet, "TinyM"), (1, 3, 32, 32)),
    ),
    "ConvNeXt": Architecture(
        Variant(convnext, (1, 3, 64, 64)),
        Variant(partial(convnext, (16, 32, 64, 128), (1, 1, 2, 1), 10), (1, 3, 64, 64)),
    ),
    "ViT-S/16": Architecture(
        Variant(partial(_vit, vit.SIZES["small"], 64, 16, "class", 1000), (1, 3, 64, 64)),
        Variant(partial(_vit, _TINY, 32, 8, "class", 10), (1, 3, 32, 32)),
    ),
    "SigLIP": Architecture(
        Variant(partial(_vit, vit.SIZES["tiny"], 64, 16, "pooler", 1), (1, 3, 64, 64)),
        Variant(partial(_vit, _TINY, 32, 8, "pooler", 1), (1, 3, 32, 32)),
    ),
    "Swin-T": Architecture(
        Variant(swin, (1, 3, 224, 224)),  # smaller images don't divide into its windows
        Variant(partial(swin, (2, 2), (2, 4), 16, 32, 4, 10), (1, 3, 32, 32)),
    ),
    "MLP-Mixer": Architecture(
        Variant(partial(mlp_mixer, 64, 16, 256, 4), (1, 3, 64, 64)),
        Variant(partial(mlp_mixer, 32, 8, 32, 2, 10), (1, 3, 32, 32)),
    ),
    "PoolFormer": Architecture(
        Variant(poolformer, (1, 3, 64, 64)),
        Variant(partial(poolformer, (8, 16), (1, 1), 10), (1, 3, 32, 32)),
    ),
}
"""Classifiers of images by name, the families side by side."""

OTHERS: dict[str, Architecture] = {
    "DETR": Architecture(
        Variant(partial(detr, 128, 4, 2, 50, 128), (1, 3, 128, 128)),
        Variant(partial(detr, 32, 4, 1, 10, 64, 7), (1, 3, 64, 64)),
    ),
    "EfficientDet": Architecture(
        Variant(efficientdet, (1, 3, 128, 128)),
        Variant(partial(efficientdet, 8, 1, 2, 3), (1, 3, 64, 64)),
    ),
    "YOLO": Architecture(
        Variant(yolo, (1, 3, 128, 128)), Variant(partial(yolo, 4, 1, 4), (1, 3, 64, 64))
    ),
    "U-Net": Architecture(
        Variant(partial(unet, 16), (1, 3, 64, 64)), Variant(partial(unet, 4, 2, 3), (1, 3, 16, 16))
    ),
    "DeepLabV3+": Architecture(
        Variant(deeplab, (1, 3, 96, 96)), Variant(partial(deeplab, 4, 3), (1, 3, 32, 32))
    ),
    "PSPNet": Architecture(
        Variant(pspnet, (1, 3, 96, 96)), Variant(partial(pspnet, 4, 3), (1, 3, 64, 64))
    ),
    "HRNet": Architecture(
        Variant(hrnet, (1, 3, 64, 64)), Variant(partial(hrnet, 4, 3), (1, 3, 64, 64))
    ),
    "SegFormer-B0": Architecture(
        Variant(segformer, (1, 3, 64, 64)),
        Variant(
            partial(segformer, (8, 16, 24, 32), (1, 2, 3, 4), (4, 2, 1, 1), 1, 5), (1, 3, 64, 64)
        ),
    ),
    "ESPCN": Architecture(Variant(espcn, (1, 1, 64, 64)), Variant(espcn, (1, 1, 16, 16))),
    "Pix2pix": Architecture(
        Variant(partial(pix2pix, 16, 3), (1, 3, 64, 64)),
        Variant(partial(pix2pix, 4, 1), (1, 3, 16, 16)),
    ),
    "LSTM": Architecture(
        Variant(partial(recurrent, "lstm", 40, 64), (1, 16, 40)),
        Variant(partial(recurrent, "lstm", 8, 12, 2, 5), (1, 3, 8)),
    ),
    "GRU": Architecture(
        Variant(partial(recurrent, "gru", 40, 64), (1, 16, 40)),
        Variant(partial(recurrent, "gru", 8, 12, 2, 5), (1, 3, 8)),
    ),
    "Conformer": Architecture(
        Variant(partial(conformer, depth=2), (1, 96, 80)),
        Variant(partial(conformer, 16, 16, 2, 1, 8), (1, 24, 16)),
    ),
    "CREPE": Architecture(Variant(crepe, (1, 1024)), Variant(crepe, (1, 1024))),
}
"""Detection, segmentation, images to images, and sequences."""

ARCHITECTURES = CLASSIFIERS | OTHERS
