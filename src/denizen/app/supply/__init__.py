"""The supply of packages: configured sources, their indexes, the store, the decoder that unpacks."""
