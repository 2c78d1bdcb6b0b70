"""hb_compile in all its modes on real networks, with YAML files as its users write them."""
