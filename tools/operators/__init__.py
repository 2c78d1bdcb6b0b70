"""What docs/supported-operators.md rests on: a case per operator, and what became of each."""
