"""The report of `why`: facts and problems as one value, and its JSON form (pure).

docs/why.md describes every field of the document for scripts. cli/commands/why.py adds the fields that need
more than the file and this host: resolution (resolve/resolution_summary.py), strategy, started_by and opened.
"""

from __future__ import annotations

from denizen.elf.classify import STATIC_KINDS
from denizen.errors import display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.diagnose.problem import Problem

_STATIC = tuple(kind.value for kind in STATIC_KINDS)


class TriedPath(Value):
    """One place where a library was searched for without success.

    Attributes:
        path: the file that was tried, or the list of directories that it stands for.
        rule, title: the linker's rule that led there, as a word and in plain words.
        reason: why it was not used.
    """

    path: bytes
    rule: str
    title: str
    reason: str


class LibraryRow(Value):
    """One library of the closure, in load order.

    Attributes:
        soname: the name by which it is needed.
        path: where it was found; None: nowhere.
        rule: the linker's rule that found it, "" when none did.
        title: that rule in plain words.
        needed_by: the paths of all objects that need it, the first one first.
        children: positions, in the list of rows, of the libraries that it needs, in its own order.
        tried: the places that were tried before it was found, or all that were tried.
    """

    soname: bytes
    path: bytes | None
    rule: str
    title: str
    needed_by: tuple[bytes, ...]
    children: tuple[int, ...]
    tried: tuple[TriedPath, ...]


class VersionRow(Value):
    """A symbol version that the library found does not define."""

    library: bytes
    version: bytes
    needed_by: bytes
    path: bytes | None


class MissingSymbol(Value):
    """A symbol that no object of the closure defines; with `now` the start ends by it."""

    name: bytes
    version: bytes | None
    needed_by: bytes
    now: bool = False


class DlopenRow(Value):
    """A library that the program may open while it runs.

    Attributes:
        sonames: the names that can be used, best first.
        origin: how it is known: "note" is the program's own `.note.dlopen`.
        priority: required, recommended or suggested.
        feature: its purpose, in the program's words.
    """

    sonames: tuple[bytes, ...]
    origin: str
    priority: str
    feature: str


class Report(Value):
    """Everything known about one program on one host.

    Attributes:
        program: its absolute path.
        kind: the kind of file: "dynamic", "static", "script", "archive" and so on.
        roots: positions in `libraries` of the program's direct dependencies.
        chain: for a script, the programs that run it, step by step; `libraries` describes the last.
        handler: the program that binfmt_misc gives it to; then nothing else of it is examined.
        glibc_found: version of the C library found here.
        glibc_required: the newest version that is needed.
    """

    program: bytes
    kind: str
    machine: str | None = None
    bits: int | None = None
    interpreter: bytes | None = None
    libc: str | None = None
    glibc_found: str | None = None
    glibc_required: str | None = None
    chain: tuple[bytes, ...] = ()
    roots: tuple[int, ...] = ()
    libraries: tuple[LibraryRow, ...] = ()
    missing_versions: tuple[VersionRow, ...] = ()
    missing_symbols: tuple[MissingSymbol, ...] = ()
    wishes: tuple[DlopenRow, ...] = ()
    build_id: str | None = None
    handler: bytes | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def starts(self) -> bool:
        """Tell whether no problem keeps the program from starting."""
        return not self.is_emulated and all(one.severity.value != "error" for one in self.problems)

    @property
    def is_emulated(self) -> bool:
        """Tell a program of another architecture that an emulator can start."""
        return any(one.code == "wrong-machine" and one.severity.value == "note" for one in self.problems)

    def has(self, code: str) -> bool:
        """Tell whether a problem has this code."""
        return any(problem.code == code for problem in self.problems)

    @property
    def is_no_program(self) -> bool:
        """Tell whether the file is not for starting; a library that names a dynamic linker can be."""
        return self.has("not-a-program") and self.interpreter is None

    @property
    def stands_alone(self) -> bool:
        """Tell whether the program uses no dynamic linker that denizen could bring."""
        return self.kind in _STATIC or self.handler is not None


def document(report: Report) -> dict[str, object]:
    """Return the report as JSON values."""
    return {
        "program": display(report.program),
        "kind": report.kind,
        "machine": report.machine,
        "bits": report.bits,
        "interpreter": _optional(report.interpreter),
        "libc": report.libc,
        "glibc": {"found": report.glibc_found, "required": report.glibc_required},
        "build_id": report.build_id,
        "chain": [display(path) for path in report.chain],
        "handler": _optional(report.handler),
        "starts": report.starts,
        "libraries": [_row(row) for row in report.libraries],
        "missing_versions": [
            {
                "library": display(missing.library),
                "version": display(missing.version),
                "needed_by": display(missing.needed_by),
                "path": _optional(missing.path),
            }
            for missing in report.missing_versions
        ],
        "unresolved_symbols": [
            {
                "name": display(symbol.name),
                "version": _optional(symbol.version),
                "needed_by": display(symbol.needed_by),
            }
            for symbol in report.missing_symbols
        ],
        "dlopen": [
            {
                "soname": display(wish.sonames[0]),
                "alternatives": [display(name) for name in wish.sonames[1:]],
                "from": wish.origin,
                "priority": wish.priority,
                "feature": display(wish.feature),
            }
            for wish in report.wishes
        ],
        "resolution": None,
        "strategy": None,
        "problems": [
            {
                "code": problem.code,
                "severity": problem.severity.value,
                "message": problem.message,
                "hint": problem.hint,
                "details": list(problem.details),
            }
            for problem in report.problems
        ],
    }


def _row(row: LibraryRow) -> dict[str, object]:
    return {
        "soname": display(row.soname),
        "path": _optional(row.path),
        "rule": row.rule or None,
        "needed_by": [display(path) for path in row.needed_by],
        "tried": [
            {"path": display(attempt.path), "rule": attempt.rule, "reason": attempt.reason}
            for attempt in row.tried
        ],
    }


def _optional(name: bytes | None) -> str | None:
    return None if name is None else display(name)
