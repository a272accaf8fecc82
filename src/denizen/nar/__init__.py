"""The Nix archive (NAR): one serialisation for each file tree, so that its hash names the tree (pure).

`codec` has the grammar and the limits, `reader` parses bytes to `formats.file_tree` entries, `writer` does
the reverse, and `listing` lists an archive's entries with their offsets without unpacking it.
"""
