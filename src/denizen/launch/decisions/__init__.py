"""Decisions how one program is started: as values, as files, and made from a resolution in the store."""
