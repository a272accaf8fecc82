"""The compiled C programs: shipped binaries, their settings, where they are installed."""
