"""The caches of the resolver: package facts, and resolutions with the questions that they depend on."""
