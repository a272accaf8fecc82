"""The packages for a program: what the user adds, the resolution, and its cache."""
