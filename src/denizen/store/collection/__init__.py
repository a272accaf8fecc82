"""Garbage collection: roots, the reference graph, deletion, and eviction from caches."""
