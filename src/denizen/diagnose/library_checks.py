"""Checks of the program's dependencies: interpreter, libraries, versions, symbols, stack (pure)."""

from __future__ import annotations

from denizen.diagnose.problem import counted, error, listed, warning
from denizen.elf.versions import version_key
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import ProgramFacts
    from denizen.diagnose.report import LibraryRow, VersionRow

# libstdc++'s newest symbol version by the GCC release that brought it (GCC manual, "ABI Policy and
# Guidelines", 4. "GLIBCXX_n"). People know compilers by the release.
GLIBCXX_RELEASES = {
    b"GLIBCXX_3.4.19": "4.8", b"GLIBCXX_3.4.20": "4.9", b"GLIBCXX_3.4.21": "5", b"GLIBCXX_3.4.22": "6",
    b"GLIBCXX_3.4.23": "7", b"GLIBCXX_3.4.24": "7", b"GLIBCXX_3.4.25": "8", b"GLIBCXX_3.4.26": "9",
    b"GLIBCXX_3.4.27": "9", b"GLIBCXX_3.4.28": "9", b"GLIBCXX_3.4.29": "11", b"GLIBCXX_3.4.30": "12",
    b"GLIBCXX_3.4.31": "13", b"GLIBCXX_3.4.32": "13", b"GLIBCXX_3.4.33": "14", b"GLIBCXX_3.4.34": "15",
}  # fmt: skip

# Reasons that only repeat that a library is missing.
_ABSENT = ("absent", "no such directory")


def interpreter(subject: ProgramFacts) -> Iterator[Problem]:
    """Check PT_INTERP: if it is missing the kernel returns ENOENT, and shells blame the program."""
    facts = subject.facts
    if facts.interpreter is None:
        return
    name = display(facts.interpreter)
    if subject.interpreter_fault:
        yield error(
            "interpreter-unusable",
            f"the program is to be started by {name}, which {subject.interpreter_fault}; the kernel refuses "
            "the program for that",
            "get another build of it, or start it by denizen",
        )
        return
    if not facts.interpreter.startswith(b"/"):
        yield _relative(name, found=subject.interpreter_found)
        return
    if subject.interpreter_found:
        return
    yield error(
        "interpreter-missing",
        f"the program is to be started by {name}, which is not on this machine; the kernel then says "
        "'No such file or directory', as if the program itself were missing",
        _interpreter_hint(subject),
    )


def _relative(name: str, *, found: bool) -> Problem:
    """Return the problem of a relative interpreter path.

    Linux binfmt_elf.c opens the path as it is, relative to the working directory of each start.
    """
    counts = f"its dynamic linker is named by a relative path, {name}, which counts from the directory it is"
    if found:
        return warning(
            "interpreter-relative", f"{counts} started in; it starts in this one, and hardly elsewhere"
        )
    hint = "start it by denizen, which needs no dynamic linker there"
    return error("interpreter-missing", f"{counts} started in; in this one that leads nowhere", hint)


def _interpreter_hint(subject: ProgramFacts) -> str:
    facts = subject.facts
    path = facts.interpreter or b""
    if b"/ld-musl-" in path:
        return "it was built for musl (Alpine): install the package musl, or get the build for glibc"
    if path.startswith((b"/nix/store/", b"/gnu/store/")):
        return "it was built to run out of a Nix or Guix store: get the program's own release instead"
    if facts.bits == 32 and subject.host.machine == "x86_64":
        return "it is a 32-bit program: install the 32-bit C library (Debian: libc6:i386)"
    return "install the C library (Debian: libc6), or start it with another system's by denizen"


def libraries(subject: ProgramFacts) -> Iterator[Problem]:
    """Report all libraries that are not found in one problem, with other places where they lie."""
    missing = [row for row in subject.facts.libraries if row.path is None]
    if not missing:
        return
    names = list(dict.fromkeys(display(row.soname) for row in missing))
    rows = subject.facts.libraries
    direct = {rows[place].soname for place in subject.facts.roots if place < len(rows)}
    yield error(
        "library-missing",
        f"it needs {counted(len(names), 'library', 'libraries')} not found here: {listed(names)}",
        _library_hint(subject, missing),
        tuple(
            detail for row in missing if (detail := _detail(subject, row, indirect=row.soname not in direct))
        ),
    )


def _library_hint(subject: ProgramFacts, missing: list[LibraryRow]) -> str:
    beside = [subject.nearby.get(row.soname, b"") for row in missing]
    if all(path.rpartition(b"/")[2] == row.soname for path, row in zip(beside, missing, strict=True)):
        directories = dict.fromkeys(path.rpartition(b"/")[0] for path in beside)
        return f"LD_LIBRARY_PATH={shell_word(b':'.join(directories))} {shell_word(subject.path)}"
    if all(beside):
        links = zip(beside, missing, strict=True)
        return " && ".join(
            f"ln -s {shell_word(path.rpartition(b'/')[2])} "
            f"{shell_word(path.rpartition(b'/')[0] + b'/' + row.soname)}"
            for path, row in links
            if path.rpartition(b"/")[2] != row.soname
        )
    wanted = dict.fromkeys(row.soname for row in missing)
    return f"denizen find {' '.join(map(shell_word, wanted))}"


def _detail(subject: ProgramFacts, row: LibraryRow, *, indirect: bool) -> str:
    """Return who needs a library, rejected candidates, and where else it lies.

    Return "" where there is nothing to add.
    """
    name = display(row.soname)
    parts = [f"{name}, needed by {display(row.needed_by[0].rpartition(b'/')[2])}"] if indirect else [name]
    parts += [f"{display(t.path)}: {t.reason}" for t in row.tried if t.reason not in _ABSENT]
    if row.soname in subject.nearby:
        parts.append(f"lies in {display(subject.nearby[row.soname])}, where the program does not look")
    return ", ".join(parts) if len(parts) > 1 or indirect else ""


def versions(subject: ProgramFacts) -> Iterator[Problem]:
    """Report symbol versions that nothing defines, one problem for each library."""
    by_library: dict[bytes, list[VersionRow]] = {}
    for missing in subject.facts.missing_versions:
        by_library.setdefault(missing.library, []).append(missing)
    for library, rows in by_library.items():
        yield _version_problem(subject, library, rows)


def _version_problem(subject: ProgramFacts, library: bytes, rows: list[VersionRow]) -> Problem:
    names = sorted({row.version for row in rows}, key=version_key)
    shown = listed([display(name) for name in names])
    details = tuple(
        f"{display(row.version)} for {display(row.needed_by.rpartition(b'/')[2])}" for row in rows
    )
    newest = names[-1]
    if newest.startswith(b"GLIBC_") and newest[6:7].isdigit():
        needed, found = display(newest[6:]), subject.facts.glibc_found or "an older one"
        return error(
            "glibc-too-old",
            f"it needs glibc {needed} or newer, this machine has {found}: "
            f"{display(library)} here lacks {shown}",
            "run it with a newer glibc of its own; the system's cannot be replaced alone",
            details,
        )
    if library.startswith(b"libstdc++.so"):
        release = GLIBCXX_RELEASES.get(newest, "")
        of_gcc = f" of GCC {release}" if release else ""
        return error(
            "libstdcxx-too-old",
            f"it needs a newer libstdc++{of_gcc}: {display(library)} here lacks {shown}",
            f"install libstdc++ from GCC {release} or newer" if release else "install a newer libstdc++",
            details,
        )
    where = display(rows[0].path or library)
    return error(
        "version-missing",
        f"{where} is another release than the one asked for: it does not define {shown}",
        f"install a release of {display(library)} that does",
        details,
    )


def symbols(subject: ProgramFacts) -> Iterator[Problem]:
    """Report symbols that nothing defines: they end the start, or the program when it calls the function."""
    # The symbols of a missing library or version are missing too, and are not reported again.
    absent = {lack.version for lack in subject.facts.missing_versions}
    missing = [symbol for symbol in subject.facts.missing_symbols if symbol.version not in absent]
    if not missing or any(row.path is None for row in subject.facts.libraries):
        return
    names = list(dict.fromkeys(display(symbol.name) for symbol in missing))
    fatal = any(symbol.now for symbol in missing)
    yield (error if fatal else warning)(
        "symbol-missing",
        f"nothing defines {counted(len(names), 'symbol', 'symbols')} that it or its libraries use: "
        f"{listed(names)}",
        "install the release of its libraries that it was built with" if fatal else "",
        tuple(
            f"{display(symbol.name)}{_version(symbol.version)}, used by {display(symbol.needed_by)}"
            for symbol in missing[:50]
        ),
    )


def _version(version: bytes | None) -> str:
    return f"@{display(version)}" if version else ""


def executable_stack(subject: ProgramFacts) -> Iterator[Problem]:
    """Report libraries that ask for an executable stack: since glibc 2.41 dlopen refuses them (its NEWS)."""
    asking = [display(path) for path in subject.executable_stacks]
    if asking:
        yield warning(
            "executable-stack",
            f"an executable stack is asked for by {listed(asking)}; hardened systems forbid it, and "
            "glibc 2.41 and later refuse to open such a library after the start",
            "GLIBC_TUNABLES=glibc.rtld.execstack=2 allows it for one program",
        )
