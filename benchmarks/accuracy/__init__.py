"""How close int8 networks stay to float: `python -m benchmarks.accuracy`."""
