"""The promises of every strategy to a program: it cannot tell that it was not started natively.

What a strategy cannot promise is told in docs/run.md and stands in the tables here. Where the kernel knows
another file than the program (a patched copy, the loader), a library inside the program answers for it.
"""
