"""Care for a whole store: verified, its database rebuilt, equal files linked, moved to another place."""
