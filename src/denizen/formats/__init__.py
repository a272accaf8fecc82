"""Parsers and writers of foreign formats: one module per format, from bytes to values and back (pure)."""
