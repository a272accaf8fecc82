"""Garbage collection: roots, the reference graph, deletion."""
