"""Files that libraries open at fixed paths, and their provision from packages."""
