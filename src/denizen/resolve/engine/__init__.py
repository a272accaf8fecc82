"""The search for providers: base suites tried in order, attempts checked by the linker model."""
