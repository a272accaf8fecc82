"""The command line: thin; the only layer that reads the environment or prints."""
