"""Files that libraries look for at fixed paths, and where they come from."""
