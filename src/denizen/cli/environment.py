"""The table of all environment variables that denizen or its loader reads; the manual page prints it.

tests/cli/test_environment.py holds source code, C included, to this table.
"""

from __future__ import annotations

from denizen.value import Value


class Variable(Value):
    """One variable, or several with one meaning.

    Attributes:
        names: as they are set.
        meaning: for people, a clause without a full stop.
        public: whether users set it; the others pass between parts of denizen, and no program sees them.
    """

    names: tuple[str, ...]
    meaning: str
    public: bool = True


VARIABLES: tuple[Variable, ...] = (
    Variable(("DENIZEN_ROOT",), "keep store, state and cache below this directory, as --root does"),
    Variable(
        ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
        "where they are kept otherwise",
    ),
    Variable(("HOME",), "where the XDG directories are unless they are set; else the user database's"),
    Variable(("TMPDIR",), "where realise --keep-failed keeps directories of builds, unless /tmp"),
    Variable(("SHELL",), "the shell that env writes for, unless --shell says another"),
    Variable(("NO_COLOR",), "no colours, unless --color says always"),
    Variable(("PATH",), "where commands are looked for, and gpgv"),
    Variable(
        ("LD_LIBRARY_PATH", "LD_PRELOAD"),
        "have the meaning that ld.so(8) gives them for the programs that are started; why looks at them",
    ),
    Variable(
        ("http_proxy", "https_proxy", "no_proxy", "REQUEST_METHOD"),
        "proxies for what is fetched, upper-case names too; HTTP_PROXY is not for CGI programs, which "
        "REQUEST_METHOD marks",
    ),
    Variable(
        ("DENIZEN_SITE",),
        "denizen's Python runs site (sitecustomize, .pth files) at its start, as for measuring coverage, and "
        "not when it first needs another package",
    ),
    Variable(("LC_ALL", "LANG"), "an environment's own locale is set where these are not"),
    Variable(
        ("LC_CTYPE",),
        "given back as the caller had it, where Python set it for itself (PEP 538)",
        public=False,
    ),
    Variable(
        ("NIX_LD", "NIX_LD_LIBRARY_PATH"),
        "as nix-ld's users set them, for programs nobody decided about, where the loader was installed to "
        "follow them; also with the suffix of a system (NIX_LD_x86_64_linux)",
    ),
    Variable(
        ("DENIZEN_IGNORED_SIGNALS",),
        "the signals that the caller of denizen ignored, from the command to its Python",
        public=False,
    ),
    Variable(
        ("DENIZEN_LIBRARY_PATH",),
        "the caller's LD_LIBRARY_PATH, from the command to its Python",
        public=False,
    ),
    Variable(
        ("DENIZEN_DECIDING",), "this process decides about a program: nobody else is asked", public=False
    ),
)


def public_rows() -> tuple[tuple[str, str], ...]:
    """Return (names, meaning) of the variables that users set, in the table's order."""
    return tuple((", ".join(row.names), row.meaning) for row in VARIABLES if row.public)


def known_names() -> frozenset[str]:
    """Return every name in the table."""
    return frozenset(name for row in VARIABLES for name in row.names)
