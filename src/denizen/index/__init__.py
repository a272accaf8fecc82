"""The indexes: lookups of the packages that provide a soname, a command or a path."""
