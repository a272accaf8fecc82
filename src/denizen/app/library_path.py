"""The user's LD_LIBRARY_PATH as absolute paths, which mean the same in every working directory."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LD_LIBRARY_PATH"


def library_path_of(environ: Mapping[str, str]) -> str:
    """Return the elements of LD_LIBRARY_PATH as absolute paths, separated by colons; "" where it names none.

    An empty element is the working directory, and a semicolon separates too (ld.so(8)). An element that
    begins with a token such as $ORIGIN counts as absolute.
    """
    text = environ.get(VARIABLE, "")
    if not text:
        return ""
    elements = text.replace(";", ":").split(":")
    absolute = [one if one.startswith("$") else os.path.abspath(one or ".") for one in elements]
    return ":".join(dict.fromkeys(absolute))


def elements_of(library_path: str) -> list[bytes]:
    """Return the directories of a path that `library_path_of` returned, as the resolver takes them."""
    return os.fsencode(library_path).split(b":") if library_path else []
