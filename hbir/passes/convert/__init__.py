"""Passes that turn a network with fake-quants into integer ops: from qat to the quantized level."""
