"""Post-training quantization as the vendor's users know it: the YAML, its stages and artifacts."""
