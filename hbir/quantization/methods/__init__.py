"""How a tensor's range is chosen from its statistics: one file per method, and `Method`."""
