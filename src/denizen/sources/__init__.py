"""Package sources: Debian archives and directories of packages; fetching and verification."""
