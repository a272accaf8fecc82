"""The proxies that the user's variables name (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxies_from(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the proxy variables of an environment, lower case before upper case.

    HTTP_PROXY in capitals is ignored where REQUEST_METHOD is set: a CGI server sets it from a header.
    """
    found = {}
    for scheme in ("http", "https", "all", "no"):
        name = f"{scheme}_proxy"
        spoofable = scheme == "http" and "REQUEST_METHOD" in environ
        text = environ.get(name) or ("" if spoofable else environ.get(name.upper(), ""))
        if text:
            found[scheme] = text
    return tuple(found.items())
