"""`denizen patch`: change a program's interpreter, run path and needed libraries."""

from __future__ import annotations

import os

from denizen.cli.arguments import output_file
from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from denizen.app.relocate.patch_program import Patched, PatchRequest
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.relocate.patch_changes import Changes

    T = TypeVar("T")

# At most one of these: each says what the run path becomes.
_RUN_PATHS = ("rpath", "add-rpath", "shrink-rpath", "remove-rpath")
_TEXTS = ("interpreter", "set-soname", "rpath", "add-rpath", "add-needed", "remove-needed", "replace-needed")
_FLAGS = ("shrink-rpath", "remove-rpath", "force-rpath", "no-default-lib")


def run(parsed: Parsed, context: Context) -> int:
    """Patch the programs, or show what can be changed of them; return the first failure's status, or 0."""
    paths = [os.fsencode(one) for one in parsed.texts("PROGRAM")]
    asked = any(_given(parsed, key) for key in _TEXTS)
    if not (asked or parsed.flag("auto") or any(parsed.flag(key) for key in _FLAGS)):
        return _show(paths, context)
    if asked and parsed.flag("auto"):
        raise UsageError("patch", "--auto chooses interpreter and run path itself")
    if len(paths) > 1 and parsed.text("output") is not None:
        raise UsageError("patch", "--output takes one PROGRAM; several are changed by --in-place")
    done, status = _each(paths, context, lambda path: _patched(parsed, path, context))
    _tell(done, context, single=len(paths) == 1, written=not parsed.flag("plan"))
    return status


def _patched(parsed: Parsed, path: bytes, context: Context) -> Patched:
    target = _target(parsed, path)
    if parsed.flag("auto"):
        from denizen.app.relocate.patch_auto import patch_auto

        return patch_auto(context.session, path, target, offline=parsed.flag("offline"))
    from denizen.app.relocate.patch_program import patch

    return patch(_request(parsed, path, target), context.session if parsed.flag("try") else None)


def _each(paths: list[bytes], context: Context, act: Callable[[bytes], T]) -> tuple[list[T], int]:
    """Return what came of each path, and the status of the first that failed; one alone raises.

    A program that cannot be patched keeps no other from being patched.
    """
    if len(paths) == 1:
        return [act(paths[0])], 0
    done, status = [], 0
    for path in paths:
        try:
            done.append(act(path))
        except UsageError:
            raise
        except DenizenError as problem:
            context.output.error(problem)
            status = status or problem.exit_status
    return done, status


def _show(paths: list[bytes], context: Context) -> int:
    from denizen.app.relocate.patch_program import facts

    found, status = _each(paths, context, facts)
    if context.json:
        context.output.document(found[0] if len(paths) == 1 else found)
        return status
    for one in found:
        width = max(map(len, one))
        for name, item in one.items():
            shown = " ".join(map(str, item)) if isinstance(item, list) else item
            if shown not in (None, "", False):
                context.output.line(f"{name:{width}}  {'yes' if shown is True else shown}")
    return status


def _target(parsed: Parsed, path: bytes) -> bytes:
    output, in_place = parsed.text("output"), parsed.flag("in-place")
    if output is not None and in_place:
        raise UsageError("patch", "--output and --in-place exclude each other")
    if output is None and not (in_place or parsed.flag("plan")):
        raise UsageError("patch", "say where to: --output FILE, or --in-place")
    checked = output_file(parsed)
    return path if checked is None else checked


def _request(parsed: Parsed, path: bytes, target: bytes) -> PatchRequest:
    from denizen.app.relocate.patch_program import PatchRequest

    given = [key for key in _RUN_PATHS if (parsed.flag(key) if key in _FLAGS else _given(parsed, key))]
    if len(given) > 1:
        raise UsageError("patch", f"--{given[0]} and --{given[1]} exclude each other")
    return PatchRequest(
        path,
        target,
        _changes(parsed),
        tuple(map(os.fsencode, parsed.texts("add-rpath"))),
        parsed.flag("shrink-rpath"),
        parsed.flag("plan"),
    )


def _given(parsed: Parsed, key: str) -> bool:
    return bool(parsed.texts(key)) if key in _REPEATED else parsed.text(key) is not None


def _changes(parsed: Parsed) -> Changes:
    from denizen.relocate.patch_changes import Changes

    run_path = b"" if parsed.flag("remove-rpath") else _bytes(parsed.text("rpath"))
    return Changes(
        interpreter=_bytes(parsed.text("interpreter")),
        run_path=run_path,
        force_rpath=parsed.flag("force-rpath"),
        remove_needed=tuple(map(os.fsencode, parsed.texts("remove-needed"))),
        replace_needed=tuple(map(_pair, parsed.texts("replace-needed"))),
        add_needed=tuple(map(os.fsencode, parsed.texts("add-needed"))),
        soname=_bytes(parsed.text("set-soname")),
        no_default_lib=parsed.flag("no-default-lib"),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _pair(text: str) -> tuple[bytes, bytes]:
    old, equals, new = text.partition("=")
    if not equals or not old or not new:
        raise UsageError("patch", f"--replace-needed wants OLD=NEW, not {text!r}")
    return os.fsencode(old), os.fsencode(new)


def _tell(done: list[Patched], context: Context, *, single: bool, written: bool) -> None:
    from denizen.cli.views.patch_view import document, lines

    documents = [document(one, written=written) for one in done]
    context.report(
        lambda: documents[0] if single else documents,
        (line for one in done for line in lines(one, written=written)),
    )


_REPEATED = frozenset({"add-rpath", "add-needed", "remove-needed", "replace-needed"})

COMMANDS = (
    Command(
        ("patch",),
        "change a program's interpreter, run path and needed libraries",
        run,
        positionals=(
            Positional(
                "PROGRAM", "programs or libraries; without options, what they name is shown", many=True
            ),
        ),
        options=(
            Option(("--interpreter",), "the path of its dynamic linker", metavar="PATH"),
            Option(
                ("--rpath",),
                "the run path, directories separated by colons",
                metavar="PATH",
                may_be_empty=True,
            ),
            Option(("--add-rpath",), "a directory behind those of the run path", metavar="PATH", repeat=True),
            Option(("--shrink-rpath",), "leave out directories in which nothing that it opens is found"),
            Option(("--remove-rpath",), "no run path"),
            Option(("--force-rpath",), "DT_RPATH, by which libraries of libraries are searched too"),
            Option(("--add-needed",), "a library to load before the others", metavar="SONAME", repeat=True),
            Option(
                ("--replace-needed",), "another library for one that it needs", metavar="OLD=NEW", repeat=True
            ),
            Option(("--remove-needed",), "a library that is not to be loaded", metavar="SONAME", repeat=True),
            Option(("--set-soname",), "the name that a library is asked for by", metavar="SONAME"),
            Option(("--no-default-lib",), "search no default directories, nor ld.so.cache"),
            Option(("--auto",), "interpreter and run path of the packages that it needs"),
            Option(("--offline",), "with --auto: use only what is there already"),
            Option(("-o", "--output"), "write a patched copy to FILE", metavar="FILE"),
            Option(("--in-place",), "change PROGRAM itself; hard links, mode and attributes are kept"),
            Option(("--try",), "start the patched program with --help in a sandbox before it is written"),
            Option(("--plan",), "say what would change, and write nothing"),
        ),
        description=(
            "Change what the dynamic linker reads in PROGRAM, or in a copy of it. Nothing in it moves: a\n"
            "longer path goes into unused bytes of a page, or into one more segment at the end. A program\n"
            "packed into the file (bun, PyInstaller, AppImage, ...) is kept where the program finds it.\n\n"
            "The patched file is parsed again, compared with the old one, and loaded by this host's\n"
            "ld.so --list before it is put in its place. Patching twice gives the same bytes as once.\n\n"
            "Of several, one that cannot be patched keeps none of the others from being patched; --json\n"
            "gives a list of them then. --output takes one.\n\n"
            "With --auto, packages are found as for denizen run, and kept in the store as long as FILE is\n"
            "there; FILE starts without denizen."
        ),
    ),
)
