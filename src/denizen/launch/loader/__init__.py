"""The compiled C programs: the shipped binaries, their settings, and their installation."""
