"""NumPy meaning of the float16 ops of the `bpu` dialect; one family per file."""
