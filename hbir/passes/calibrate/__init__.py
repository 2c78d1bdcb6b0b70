"""Passes that decide what is quantized and how: from float to the qat level."""
