"""The rules for names and texts in a system's description (pure).

Each rule returns what is wrong with a text, as the end of a sentence, or "" where nothing is.
"""

from __future__ import annotations

import re

from denizen.formats.entry_name import MAX_NAME

MAX_PATH = 1024
MAX_TEXT = 1 << 18
# Files of /etc that are changed entry by entry (accounts), or are denizen's own.
RESERVED = frozenset(
    {"passwd", "group", "shadow", "gshadow", ".pwd.lock", "static", ".denizen", "systemd/system"}
)
# systemd.unit(5), "Unit File": the types, and the characters of a name.
_UNIT = re.compile(
    r"[A-Za-z0-9:_.\\@-]{1,200}\."
    r"(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)",
    re.ASCII,
)
# systemd's strict rule, which shadow's tools accept too (systemd.io/USER_NAMES).
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,120}(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]{1,120})?", re.ASCII)
_SUITE = re.compile(r"[a-z0-9][a-z0-9+./-]{0,60}", re.ASCII)
_SYSTEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,40}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}", re.ASCII)
# tmpfiles.d(5), "Age".
_AGE = re.compile(r"~?([0-9]{1,9}(us|ms|s|m|min|h|d|w))+", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9 !#%&'()+,./:;=?@\[\]^_{}~*-]+", re.ASCII)


def plain(text: str) -> str:
    """Check a text of one line."""
    if len(text) > 4096 or not (text == "" or text.isprintable()):
        return "is one printable line"
    return ""


def content(text: str) -> str:
    """Check the content of a file."""
    return "" if len(text) <= MAX_TEXT else "is too long"


def relative(path: str) -> str:
    """Check a relative path that leads downwards only."""
    parts = path.split("/")
    if not _PATH.fullmatch(path) or len(path) > MAX_PATH:
        return "is a path of printable ASCII, without quotes, backslashes and dollar signs"
    if any(part in ("", ".", "..") or len(part) > MAX_NAME for part in parts):
        return "is a relative path without empty, '.' and '..' components"
    return ""


def etc_path(path: str) -> str:
    """Check the path of a file below /etc."""
    problem = relative(path)
    if problem:
        return problem
    if path != path.strip() or "*" in path or "?" in path or "[" in path:
        return "has no blanks at its ends, and no characters of patterns"
    if path in RESERVED or path.split("/", maxsplit=1)[0] in ("static", ".denizen"):
        return "is not a file that a description can have"
    return ""


def absolute(path: str) -> str:
    """Check an absolute path as accounts have it."""
    if path == "/":
        return ""
    if not path.startswith("/") or ":" in path:
        return "is an absolute path without colons"
    return relative(path[1:])


def directory(path: str) -> str:
    """Check the path of a directory, as tmpfiles.d can name it."""
    problem = absolute(path)
    if problem or path == "/":
        return problem or "is not a directory that a description can have"
    if " " in path or "%" in path or re.match(r"/(proc|sys|dev)(/|\Z)", path):
        return "has no blanks and percent signs, and is not in /proc, /sys or /dev"
    if re.match(r"/etc/(static|\.denizen)(/|\Z)", path):
        return "is denizen's own"
    return ""


def account(name: str) -> str:
    """Check the name of a user or group."""
    rule = "is a name of at most 31 small letters, digits, - and _, not beginning with a digit"
    return "" if _ACCOUNT.fullmatch(name) else rule


def field(text: str) -> str:
    """Check a field of /etc/passwd."""
    return "is one line without colons and quotes" if plain(text) or ":" in text or '"' in text else ""


def unit(name: str) -> str:
    """Check the name of a unit."""
    return "" if _UNIT.fullmatch(name) and not name.startswith(".") else "is not a unit's name"


def package(name: str) -> str:
    """Check the name of a package, with a version or without."""
    return "" if _PACKAGE.fullmatch(name) else "is a package's name, or NAME=VERSION"


def suite(name: str) -> str:
    """Check the name of a suite."""
    return "" if _SUITE.fullmatch(name) and ".." not in name else "is a suite's name"


def system(name: str) -> str:
    """Check the name of a system, which boot entries show."""
    return "" if _SYSTEM.fullmatch(name) else "is a name of at most 41 letters, digits and + . _ -"


def variable(name: str) -> str:
    """Check the name of an environment variable."""
    return "" if _VARIABLE.fullmatch(name) else f"has a variable that no shell could set: {name[:40]!r}"


def age(text: str) -> str:
    """Check an age of tmpfiles.d."""
    return "" if _AGE.fullmatch(text) else "is an age as 10d or 12h"


def mode(text: str) -> str:
    """Check the mode of a file, in octal."""
    return "" if re.fullmatch(r"[0-7]{3,4}", text, re.ASCII) else "is a text of three or four octal digits"


def kernel_option(text: str) -> str:
    """Check one word of the kernel's command line."""
    if not text.isascii() or not text.isprintable() or not text or len(text) > 512:
        return "is a word of printable ASCII"
    # GRUB's script and the kernel's own parser would both have to be quoted for.
    return "has blanks, quotes, dollar signs or backslashes" if set(text) & set(" \"'$\\`;{}#") else ""
