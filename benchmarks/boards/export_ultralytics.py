"""Write YOLO networks as ONNX, cut before box decoding: `.venv-boards/bin/python THIS OUT NAME...`.

Runs in an environment of its own (`make venv-boards`): ultralytics is AGPL-3.0, a tool of this
benchmark only, never imported by hbir. NAME is ultralytics' configuration, such as `yolov8n-seg`.

Outputs are the raw convolutions of each scale (box, class; mask coefficients and prototypes; key
points; angles), channel last as the measured graphs have them; classifiers return logits. Weights
are constants, one value a tensor: times don't depend on them, and files shrink to nothing.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from ultralytics import YOLO
from ultralytics.nn.modules.block import CBFuse

IMAGE_SIZE, CLASSIFY_SIZE = 640, 224
OPSET = 17


class RawHead(nn.Module):
    """A detection head's branches without its decoding, in place of the head."""

    def __init__(self, head: Any) -> None:
        super().__init__()
        # Where the plumbing of a YOLO model finds what feeds it.
        self.f, self.i, self.type = head.f, head.i, "RawHead"
        ends = getattr(head, "one2one_cv2", None) is not None
        boxes = head.one2one_cv2 if ends else head.cv2
        classes = head.one2one_cv3 if ends else head.cv3
        extra = (getattr(head, "one2one_cv4", None) if ends else None) or getattr(head, "cv4", None)
        self.branches = nn.ModuleList(b for b in (classes, boxes, extra) if b is not None)
        self.proto = getattr(head, "proto", None)

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        outputs = [branch[scale](x[scale]) for scale in range(len(x)) for branch in self.branches]
        if self.proto is not None:
            outputs.append(self.proto(x[0]))
        return [y.permute(0, 2, 3, 1) for y in outputs]


class RawClassifier(nn.Module):
    """A classification head without its softmax."""

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.f, self.i, self.type = head.f, head.i, "RawClassifier"
        self.conv, self.pool, self.linear = head.conv, head.pool, head.linear

    def forward(self, x: Tensor | list[Tensor]) -> Tensor:
        x = torch.cat(x, 1) if isinstance(x, list) else x
        return self.linear(self.pool(self.conv(x)).flatten(1))


def _fuse(self: CBFuse, xs: list[Any]) -> Tensor:
    """What CBFuse computes, its sum as additions instead of a stack that is reduced."""
    *others, result = xs
    for index, x in zip(self.idx, others, strict=False):
        result = result + functional.interpolate(x[index], size=xs[-1].shape[2:], mode="nearest")
    return result


def network(name: str) -> nn.Module:
    """The fused network of a configuration, its head replaced by the raw one."""
    CBFuse.forward = _fuse
    model = YOLO(f"{name}.yaml").model.eval().fuse(verbose=False)
    head = model.model[-1]
    model.model[-1] = RawClassifier(head) if name.endswith("-cls") else RawHead(head)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.01)
    return model


def export(name: str, folder: Path) -> None:
    """Write `folder`/NAME.onnx."""
    size = CLASSIFY_SIZE if name.endswith("-cls") else IMAGE_SIZE
    with torch.no_grad():
        torch.onnx.export(
            network(name),
            (torch.zeros(1, 3, size, size),),
            str(folder / f"{name}.onnx"),
            opset_version=OPSET,
            input_names=["image"],
            dynamo=False,
        )


if __name__ == "__main__":
    for each in sys.argv[2:]:
        export(each, Path(sys.argv[1]))
