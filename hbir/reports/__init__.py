"""What people look at: the performance report of a compiled model, as JSON and as a table."""
