"""What resolving keeps between runs: package facts, resolutions with the questions they follow from."""
