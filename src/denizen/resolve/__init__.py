"""Resolution: the choice of exact, coherent packages for the libraries that a program lacks, with reasons."""
