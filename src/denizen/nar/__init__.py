"""NAR, Nix's deterministic serialisation of a file tree (pure)."""
