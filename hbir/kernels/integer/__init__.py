"""Meaning of the quantized level's ops: exact integer arithmetic; one file per family."""
