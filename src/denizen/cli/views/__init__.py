"""Results drawn for a person: trees, tables, progress."""
