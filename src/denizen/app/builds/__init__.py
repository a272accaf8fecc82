"""Builds: what `denizen realise` and `denizen log` do."""
