"""Networks in plain torch, with random weights: what is timed doesn't depend on trained ones.

One architecture a file. A network takes N,C,H,W images and returns what the published measurements
time, such as a classifier's logits.
"""
