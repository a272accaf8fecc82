"""The grammar of the Nix archive, its limits, and its tokens as bytes (pure).

Specification: Eelco Dolstra, "The Purely Functional Software Deployment Model" (2006), figure 5.2;
Nix, doc/manual/source/protocols/nix-archive.md and src/libutil/archive.cc:

    archive   = str("nix-archive-1") object
    object    = str("(") str("type") node str(")")
    node      = str("regular") [ str("executable") str("") ] str("contents") str(bytes)
              | str("symlink") str("target") str(bytes)
              | str("directory") { str("entry") str("(") str("name") str(name) str("node") object str(")") }
    str(s)    = u64 little-endian length, s, zero bytes up to a multiple of eight

Rules beyond the grammar: names in a directory are strictly increasing as bytes (sorted, none
twice), are not empty, `.` or `..`, and hold neither `/` nor NUL. Nix does not limit the size of a name, the
length of a path and the depth; denizen refuses names and paths that no Linux file system could hold
(`formats.file_tree`), and more than `MAX_DEPTH` directories inside one another. The contents token of an
empty file may be absent in archives of Nix before 1.0; denizen requires it, as Nix now always writes it.
"""

import struct

# A path of 4095 bytes holds at most 2,048 components; real trees stay under 60.
# A descriptor is held for each level while a tree is written or deleted: half of the usual limit of 1024.
MAX_DEPTH = 512
# The largest length: Nix's own arithmetic and off_t are signed.
MAX_SIZE = 2**63 - 1

_LENGTH = struct.Struct("<Q")
pack_length = _LENGTH.pack


def unpack_length(field: bytes) -> int:
    """Return the number in an eight-byte length field."""
    (length,) = _LENGTH.unpack(field)
    return int(length)


def length_at(buffer: bytes, at: int) -> int:
    """Return the number in the length field at `at`, which must lie inside the buffer."""
    (length,) = _LENGTH.unpack_from(buffer, at)
    return int(length)


PADDING = tuple(bytes(-length & 7) for length in range(8))


def padding(length: int) -> bytes:
    """Return the zero bytes that follow a string of `length` bytes."""
    return PADDING[length & 7]


def string(content: bytes) -> bytes:
    """Return `str(content)` of the grammar."""
    return b"%b%b%b" % (pack_length(len(content)), content, PADDING[len(content) & 7])


def _tokens(*words: str) -> bytes:
    return b"".join([string(word.encode("ascii")) for word in words])


# Tokens that always follow one another are one constant: a reader needs one comparison for them, a writer
# one copy, and 50,000 files cost two function calls each and not twelve.
MAGIC = _tokens("nix-archive-1")
OPEN = _tokens("(")
CLOSE = _tokens(")")
TYPE = _tokens("(", "type")
REGULAR = _tokens("regular")
SYMLINK = _tokens("symlink")
DIRECTORY = _tokens("directory")
EXECUTABLE = _tokens("executable", "")
CONTENTS = _tokens("contents")
TARGET = _tokens("target")
ENTRY = _tokens("entry")
NAME = _tokens("(", "name")
NODE = _tokens("node")
FILE_NODE = TYPE + REGULAR + CONTENTS
EXECUTABLE_NODE = TYPE + REGULAR + EXECUTABLE + CONTENTS
SYMLINK_NODE = TYPE + SYMLINK + TARGET
DIRECTORY_NODE = TYPE + DIRECTORY
NAMED = ENTRY + NAME
# Of an object within a directory and of its entry.
END = CLOSE + CLOSE
