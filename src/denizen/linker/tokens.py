"""Dynamic string tokens: expansion of `$ORIGIN`, `$LIB`, `$PLATFORM` in paths and names (pure).

Specification: ld.so(8) "Dynamic string tokens"; glibc elf/dl-load.c, is_dst and _dl_dst_substitute;
musl ldso/dynlink.c, fixup_rpath, which knows `$ORIGIN` alone.

    token = "$" name | "${" name "}"        name = "ORIGIN" | "LIB" | "PLATFORM"

glibc reads the longest identifier, so `$LIBRARY` is no token and stays as it is. A path element with a
token that has no value (no AT_PLATFORM, an unknown origin) is dropped.

Limits: an element that grows beyond MAX_EXPANDED bytes is dropped; no file system has such a name.
"""

from __future__ import annotations

from denizen.value import Value

MAX_EXPANDED = 65_536
_IDENTIFIER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


class Tokens(Value):
    """The values of the tokens of one object; None: unknown, elements with the token are dropped.

    Attributes:
        origin: the value of `$ORIGIN`.
        lib: the value of `$LIB`.
        platform: the value of `$PLATFORM`.
        secure: AT_SECURE: `$ORIGIN` is accepted only at the start of an element.
        trusted: None, or the system directories the result must lie in (AT_SECURE, the program's own
            `$ORIGIN`; libraries' origins are in trusted directories already).
    """

    origin: bytes | None
    lib: bytes | None = None
    platform: bytes | None = None
    secure: bool = False
    trusted: tuple[bytes, ...] | None = None


def expand(element: bytes, tokens: Tokens) -> bytes | None:
    """Return `element` with its tokens replaced, as glibc does; None where it must not be used."""
    if b"$" not in element:
        return element
    parts: list[bytes] = []
    at, origin_used = 0, False
    while (dollar := element.find(b"$", at)) >= 0:
        parts.append(element[at:dollar])
        name, at = _token(element, dollar)
        if name == b"ORIGIN" and tokens.secure and not _leads(element, dollar, at):
            return None
        origin_used |= name == b"ORIGIN"
        replacement = _replacement(name, tokens)
        if replacement is None:
            return None
        parts.append(replacement)
    expanded = b"".join([*parts, element[at:]])
    distrusted = origin_used and tokens.trusted is not None and not is_trusted(expanded, tokens.trusted)
    return None if distrusted or len(expanded) > MAX_EXPANDED else expanded


def has_token(path: bytes) -> bool:
    """Return whether glibc would replace something in a path that it is told to load."""
    at = path.find(b"$")
    while at >= 0:
        if _token(path, at)[0]:
            return True
        at = path.find(b"$", at + 1)
    return False


def expand_origin_only(paths: bytes, origin: bytes) -> bytes | None:
    """Return a whole RPATH as musl expands it; None where it has any other `$` (fixup_rpath)."""
    rest = paths.replace(b"${ORIGIN}", b"").replace(b"$ORIGIN", b"")
    if b"$" in rest:
        return None
    expanded = paths.replace(b"${ORIGIN}", origin).replace(b"$ORIGIN", origin)
    return None if len(expanded) > MAX_EXPANDED else expanded


def is_trusted(path: bytes, system_directories: tuple[bytes, ...]) -> bool:
    """Return whether `path`, normalised by its text alone, lies below one of `system_directories`.

    glibc's is_trusted_path_normalize: links are not resolved, `..` above the top stays at the top.
    """
    kept: list[bytes] = []
    for component in path.split(b"/"):
        if component == b"..":
            del kept[-1:]
        elif component not in (b"", b"."):
            kept.append(component)
    normal = b"/".join([b"", *kept, b""])
    return path.startswith(b"/") and normal.startswith(system_directories)


def _token(element: bytes, dollar: int) -> tuple[bytes, int]:
    """Return the token's name, b"" if it is not a known one, and the position of the text behind it."""
    curly = element[dollar + 1 : dollar + 2] == b"{"
    start = end = dollar + 1 + curly
    while end < len(element) and element[end] in _IDENTIFIER:
        end += 1
    name = element[start:end]
    if name not in (b"ORIGIN", b"LIB", b"PLATFORM") or (curly and element[end : end + 1] != b"}"):
        return b"", dollar + 1
    return name, end + curly


def _replacement(name: bytes, tokens: Tokens) -> bytes | None:
    match name:
        case b"ORIGIN":
            return tokens.origin
        case b"LIB":
            return tokens.lib
        case b"PLATFORM":
            return tokens.platform
        case _:
            return b"$"


def _leads(element: bytes, dollar: int, after: int) -> bool:
    return dollar == 0 and element[after : after + 1] in (b"", b"/")
