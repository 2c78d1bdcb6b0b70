"""From hbir's IR to the formats of other tools, one folder per format."""
