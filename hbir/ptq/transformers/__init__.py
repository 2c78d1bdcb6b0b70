"""Image transformers for calibration data, by the names and arguments of the older toolchain.

    data = [image]                                   # H,W,C, as opencv, skimage and PIL read it
    for transformer in (ShortSideResizeTransformer(256), CenterCropTransformer(224),
                        HWC2CHWTransformer(), ScaleTransformer(1 / 255)):
        data = transformer(data)

They need `pip install 'hbir[images]'` (opencv, pillow, scikit-image), which are imported on use.
"""

from hbir.ptq.transformers.arithmetic import (
    AddTransformer,
    F32ToS8Transformer,
    F32ToU8Transformer,
    MeanTransformer,
    NormalizeTransformer,
    ScaleTransformer,
)
from hbir.ptq.transformers.base import Transformer, TransformerError, run_transformers
from hbir.ptq.transformers.colour import (
    BGR2GRAYTransformer,
    BGR2NV12Transformer,
    BGR2RGBTransformer,
    BGR2YUV444_128Transformer,
    BGR2YUV444Transformer,
    BGR2YUVBT601VIDEOTransformer,
    NV12ToYUV444Transformer,
    RGB2BGRTransformer,
    RGB2GRAY_128Transformer,
    RGB2GRAYTransformer,
    RGB2NV12Transformer,
    RGB2YUV444_128Transformer,
    RGB2YUV444Transformer,
    RGB2YUVBT601VIDEOTransformer,
)
from hbir.ptq.transformers.crop import (
    CenterCropTransformer,
    LongSideCropTransformer,
    PaddedCenterCropTransformer,
    PILCenterCropTransformer,
)
from hbir.ptq.transformers.layout import (
    CHW2HWCTransformer,
    HWC2CHWTransformer,
    ReduceChannelTransformer,
    TransposeTransformer,
)
from hbir.ptq.transformers.resize import (
    PadResizeTransformer,
    PadTransformer,
    PILResizeTransformer,
    ResizeTransformer,
    ShortLongResizeTransformer,
    ShortSideResizeTransformer,
)

__all__ = [
    "AddTransformer",
    "BGR2GRAYTransformer",
    "BGR2NV12Transformer",
    "BGR2RGBTransformer",
    "BGR2YUV444Transformer",
    "BGR2YUV444_128Transformer",
    "BGR2YUVBT601VIDEOTransformer",
    "CHW2HWCTransformer",
    "CenterCropTransformer",
    "F32ToS8Transformer",
    "F32ToU8Transformer",
    "HWC2CHWTransformer",
    "LongSideCropTransformer",
    "MeanTransformer",
    "NV12ToYUV444Transformer",
    "NormalizeTransformer",
    "PILCenterCropTransformer",
    "PILResizeTransformer",
    "PadResizeTransformer",
    "PadTransformer",
    "PaddedCenterCropTransformer",
    "RGB2BGRTransformer",
    "RGB2GRAYTransformer",
    "RGB2GRAY_128Transformer",
    "RGB2NV12Transformer",
    "RGB2YUV444Transformer",
    "RGB2YUV444_128Transformer",
    "RGB2YUVBT601VIDEOTransformer",
    "ReduceChannelTransformer",
    "ResizeTransformer",
    "ScaleTransformer",
    "ShortLongResizeTransformer",
    "ShortSideResizeTransformer",
    "Transformer",
    "TransformerError",
    "TransposeTransformer",
    "run_transformers",
]
