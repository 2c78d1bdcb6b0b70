"""How long post-training quantization takes from ONNX to hbm: `python -m benchmarks.ptq`."""
