"""File trees on disk: read, serialise as NAR, restore, hash, scan for references, set metadata."""
