"""`denizen manual`: the manual page, written from the command tables, as help and completion are.

Language: man(7), as groff and mandoc read it. The wheel installs the page under share/man/man1
(hatch_build.py), so that `man denizen` finds it.
"""

from __future__ import annotations

from denizen import __version__
from denizen.cli.command import Command
from denizen.cli.environment import public_rows
from denizen.cli.help import usage, written
from denizen.cli.options import Positional
from denizen.errors import EXIT_CANNOT_START, EXIT_FAILED, EXIT_NOT_FOUND, EXIT_USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.cli.command import Context
    from denizen.cli.options import Option, Parsed

NAME = "denizen \\- run any Linux program on any Linux machine"
DESCRIPTION = """\
denizen starts programs that were built for another distribution or release. It finds out what a program
needs, fetches exactly that into a store of its own, and starts it: without root, and without changing the
program or the system. Programs are read to learn about them, never executed."""
EXIT_STATUS = (
    ("0", "done; for a program that was started, its own status"),
    ("1", "the answer is no: the program would not start, nothing provides the name, an object is damaged"),
    (f"{EXIT_USAGE}", "wrong usage"),
    (f"{EXIT_FAILED}", "denizen itself failed"),
    (f"{EXIT_CANNOT_START}", "the program cannot be started"),
    (f"{EXIT_NOT_FOUND}", "there is no such program"),
    ("128+\\fIn\\fR", "the program, or denizen, was ended by signal \\fIn\\fR"),
)
SEE_ALSO = "ld.so(8), ldd(1), ldconfig(8), bwrap(1)"


def run(_: Parsed, context: Context) -> int:
    """Print the page."""
    context.output.line(whole_page())
    return 0


def whole_page() -> str:
    """Return the page of all commands."""
    from denizen.cli.dispatch import GLOBAL_OPTIONS, TABLE, commands_of

    groups = [(group.everyday, commands_of(group)) for group in TABLE]
    everyday = [command for daily, commands in groups if daily for command in commands]
    plumbing = [command for daily, commands in groups if not daily for command in commands]
    return page(everyday, plumbing, GLOBAL_OPTIONS)


def page(everyday: Sequence[Command], plumbing: Sequence[Command], shared: Sequence[Option]) -> str:
    """Return the page of these commands, in roff."""
    return "\n".join(_lines(everyday, plumbing, shared))


def _lines(
    everyday: Sequence[Command], plumbing: Sequence[Command], shared: Sequence[Option]
) -> Iterator[str]:
    yield f'.TH DENIZEN 1 "" "denizen {__version__}" "User Commands"'
    yield from (".SH NAME", NAME, ".SH SYNOPSIS", "\\fBdenizen\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] \\&...")
    yield from (".SH DESCRIPTION", *_text(DESCRIPTION))
    for title, commands in (("COMMANDS", everyday), ("PLUMBING", plumbing)):
        yield f".SH {title}"
        for command in commands:
            yield from _command(command)
    yield from (".SH OPTIONS OF EVERY COMMAND", *_rows(shared))
    for title, rows in (("EXIT STATUS", EXIT_STATUS), ("ENVIRONMENT", public_rows())):
        yield f".SH {title}"
        for name, meaning in rows:
            yield from (".TP", f"\\fB{name}\\fR", *_text(meaning))
    yield from (".SH SEE ALSO", SEE_ALSO)


def _command(command: Command) -> Iterator[str]:
    line = usage(" ".join(command.words), command.positionals).removeprefix("usage: ")
    yield f".SS {escaped(line)}"
    yield from _text(command.description or command.summary[:1].upper() + command.summary[1:] + ".")
    yield from _rows(command.positionals)
    yield from _rows(command.options)


def _rows(rows: Sequence[Option | Positional]) -> Iterator[str]:
    """Yield a tagged paragraph for each row, without the hidden ones."""
    for row in rows:
        if row.help:
            name = row.name if isinstance(row, Positional) else written(row)
            yield from (".TP", f"\\fB{escaped(name)}\\fR", *_text(row.help))


def _text(text: str) -> Iterator[str]:
    """Yield paragraphs; indented lines stay unchanged."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        lines = paragraph.split("\n")
        literal = any(line.startswith(" ") for line in lines)
        yield from (".nf",) if literal else ()
        for line in lines:
            yield escaped(line) if literal else escaped(line.strip())
        yield from (".fi",) if literal else ()


def escaped(text: str) -> str:
    """Return `text` escaped for roff, with hyphens that can be copied into a shell."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + plain if plain.startswith((".", "'")) else plain


COMMANDS = (
    Command(
        ("manual",),
        "print the manual page",
        run,
        description="Print the manual page, as man(1) reads it:\n\n  denizen manual | man -l -",
        is_text=True,
    ),
)
