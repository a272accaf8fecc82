"""Bundles: a program with all that it needs in one file or directory, and descriptions of what is in one."""
