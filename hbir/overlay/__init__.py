"""Changes that users make at a function's inputs and outputs: insertions and removals."""
