"""The NumPy meaning of every op: one table, float and integer families, quantization, CPU ops."""
