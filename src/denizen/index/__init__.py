"""Who provides a soname, a command or a path."""
