"""The search for providers: base suites are tried in order, and the linker model checks each attempt."""
