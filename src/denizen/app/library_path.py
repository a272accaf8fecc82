"""The user's LD_LIBRARY_PATH, in a form that means the same in every directory."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LD_LIBRARY_PATH"


def library_path_of(environ: Mapping[str, str]) -> str:
    """Return its elements as absolute paths between colons; "" where it leads nowhere.

    An empty element is the working directory, and a semicolon separates too (ld.so(8)). One that begins
    with a token is as good as absolute.
    """
    text = environ.get(VARIABLE, "")
    if not text:
        return ""
    elements = text.replace(";", ":").split(":")
    absolute = [one if one.startswith("$") else os.path.abspath(one or ".") for one in elements]
    return ":".join(dict.fromkeys(absolute))


def elements_of(library_path: str) -> list[bytes]:
    """Return the directories of what `library_path_of` returned, as the resolver takes them."""
    return os.fsencode(library_path).split(b":") if library_path else []
