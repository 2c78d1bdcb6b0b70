"""One verifier per level of IR: what the phase before it guarantees to the phase after it."""
