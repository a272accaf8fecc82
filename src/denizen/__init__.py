"""denizen: any Linux program runs on any Linux machine."""

__version__ = "0.1.0"
