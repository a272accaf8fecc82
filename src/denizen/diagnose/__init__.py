"""Diagnosis: all problems of a program on this machine, each with its remedy (pure)."""
