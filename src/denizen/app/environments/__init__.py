"""Environments with a whole /usr: creation, entry, and those that `run` makes by itself."""
