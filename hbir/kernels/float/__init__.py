"""Meaning of the float level's ops: float32 in, float32 out, channel-last; one file per family."""
