"""The environment of a builder, and the files in its build directory that variables name (pure).

Specification: Nix, src/libstore/build/local-derivation-goal.cc (initEnv, initTmpDir). Later steps override
earlier ones:

1. PATH, HOME, NIX_STORE and NIX_BUILD_CORES;
2. the derivation's own variables, except those listed in `passAsFile`, for each of which a file has the
   content and `<name>Path` its path; with structured attributes none, see `structured_attributes`;
3. NIX_BUILD_TOP, TMPDIR, TEMPDIR, TMP, TEMP and PWD: the build directory;
4. of a fixed output: NIX_OUTPUT_CHECKED, and the caller's variables named in `impureEnvVars`;
5. NIX_LOG_FD and TERM.
"""

from __future__ import annotations

from denizen.formats import base32
from denizen.sha256 import digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.formats.aterm import Derivation

STRUCTURED = b"__json"
_DIRECTORY_VARIABLES = (b"NIX_BUILD_TOP", b"TMPDIR", b"TEMPDIR", b"TMP", b"TEMP", b"PWD")


class BuilderInput(Value):
    """The environment and files of a builder.

    Attributes:
        environment: its variables.
        files: contents of files in the build directory, by name.
    """

    environment: Mapping[bytes, bytes]
    files: Mapping[bytes, bytes]


class BuilderSurroundings(Value):
    """The facts that a builder is told about where it runs.

    Attributes:
        store_dir: the store directory.
        build_dir: the build directory, as the builder sees it.
        cores: processors it may use.
        impure: variables of the caller that it may read; None unless its output's content is known.
    """

    store_dir: bytes
    build_dir: bytes
    cores: int
    impure: Mapping[bytes, bytes] | None = None


def builder_input(derivation: Derivation, where: BuilderSurroundings) -> BuilderInput:
    """Return the environment and files of a builder, without those of structured attributes."""
    environment: dict[bytes, bytes] = {
        b"PATH": b"/path-not-set",
        b"HOME": b"/homeless-shelter",
        b"NIX_STORE": where.store_dir,
        b"NIX_BUILD_CORES": b"%d" % where.cores,
    }
    files: dict[bytes, bytes] = {}
    if attribute(derivation, STRUCTURED) is None:
        passed = set(strings(derivation, b"passAsFile") or ())
        for name, text in derivation.environment.items():
            if name in passed:
                file = b".attr-" + base32.encode(digest_of(name)).encode("ascii")
                files[file] = text
                environment[name + b"Path"] = b"%b/%b" % (where.build_dir, file)
            else:
                environment[name] = text
    environment |= dict.fromkeys(_DIRECTORY_VARIABLES, where.build_dir)
    if where.impure is not None:
        environment |= {b"NIX_OUTPUT_CHECKED": b"1", **where.impure}
    environment |= {b"NIX_LOG_FD": b"2", b"TERM": b"xterm-256color"}
    return BuilderInput(dict(sorted(environment.items())), files)


def attribute(derivation: Derivation, name: bytes) -> bytes | None:
    """Return a variable of a derivation, which is one of its attributes; None if it does not have it."""
    return derivation.environment.get(name)


def strings(derivation: Derivation, name: bytes) -> tuple[bytes, ...] | None:
    """Return the words of a variable, None if the derivation does not have it."""
    text = attribute(derivation, name)
    return None if text is None else tuple(text.split())
