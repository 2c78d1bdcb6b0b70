"""From observed data to integers: observers, `calibrate`, and the driver of `convert`."""
