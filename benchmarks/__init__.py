"""What hbir is measured by: each benchmark is a command that prints ratios beside a peer."""
