"""Derivations, and the builders that turn them into store objects."""
