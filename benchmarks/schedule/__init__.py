"""How close schedules come to the lower bound: `python -m benchmarks.schedule` prints the table."""
