"""Foreign formats, each a module of functions from bytes to values and back (pure)."""
