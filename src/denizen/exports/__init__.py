"""Root file systems made of packages and programs, and their division into the layers of an image (pure)."""
