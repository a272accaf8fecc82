"""Places packages come from."""
