"""The Nix archive: one serialisation for each file tree, so that its hash names the tree (pure).

`wire` has the grammar and the limits, `reader` goes from bytes to `formats.file_tree` entries, `writer`
back, and `listing` tells what is where in an archive without unpacking it.
"""
