"""Ordinary derivations: a builder that is a program, its sandbox, its log, and its outputs."""
