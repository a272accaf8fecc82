"""Decisions about programs: what a program needs here, how it is started, and what is kept of that."""
