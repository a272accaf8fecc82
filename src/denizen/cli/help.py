"""Help: texts made of the tables of commands and of their options."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.command import Context, Group
    from denizen.cli.options import Option, Parsed

# Columns of a line.
_WIDTH = 110
# The groups of commands in their order; `TABLE` of dispatch.py says which command is in which.
_GROUPS = (("everyday:", True), ("plumbing:", False))


def general_help(table: Sequence[Group], options: Sequence[Option]) -> str:
    """Return the text of `denizen --help`; `options` are those of every command."""
    width = max(len(row.word) for row in table)
    lines = ["usage: denizen COMMAND [options] …", "", "Any Linux program runs on any Linux machine.", ""]
    for title, everyday in _GROUPS:
        rows = [row for row in table if row.everyday is everyday]
        if rows:
            lines += [title, *(f"  {row.word:{width}}  {row.summary}" for row in rows), ""]
    lines += ["options of every command:", *describe(options), ""]
    lines.append("denizen COMMAND --help says more; denizen --version says which denizen this is.")
    return "\n".join(lines)


def command_help(command: Command, options: Sequence[Option]) -> str:
    """Return the text of a command's --help; `options` are those of every command."""
    name = " ".join(command.words)
    about = command.description or command.summary.capitalize() + "."
    sections = [usage(name, command.positionals), *map(_wrapped, about.split("\n\n"))]
    if command.positionals:
        sections.append("\n".join(["arguments:", *describe(command.positionals)]))
    if command.options:
        sections.append("\n".join(["options:", *describe(command.options)]))
    sections.append("\n".join(["options of every command:", *describe(options)]))
    return "\n\n".join(sections)


def overview(word: str, commands: Sequence[Command]) -> Command:
    """Return the command that lists the commands below one word: `denizen store --help`."""

    def show(_: Parsed, context: Context) -> int:
        width = max(len(" ".join(command.words)) for command in commands)
        context.output.line(f"usage: denizen {word} COMMAND [options] …\n")
        for command in commands:
            context.output.line(f"  {' '.join(command.words):{width}}  {command.summary}")
        return 0

    return Command((word,), "", show)


def usage(command: str, positionals: Sequence[Positional]) -> str:
    """Return the usage line: `usage: denizen why [options] PROGRAM`."""
    words = [f"usage: denizen {command} [options]"]
    for positional in positionals:
        word = positional.name + ("…" if positional.many or positional.rest else "")
        words.append(f"[{word}]" if positional.optional else word)
    return " ".join(words)


def describe(rows: Sequence[Option | Positional]) -> list[str]:
    """Return two aligned columns: options or positionals, and their help."""
    left = [row.name if isinstance(row, Positional) else written(row) for row in rows if row.help]
    width = min(max(map(len, left), default=0), 30)
    return [
        _hanging(f"  {name:{width}}  ", row.help)
        for name, row in zip(left, [row for row in rows if row.help], strict=True)
    ]


def _hanging(start: str, text: str) -> str:
    """Return a row whose text goes on below its own beginning."""
    if len(start) + len(text) <= _WIDTH:
        return start + text
    from textwrap import wrap

    room = _WIDTH - len(start)
    return start + ("\n" + " " * len(start)).join(wrap(text, room, break_on_hyphens=False))


def _wrapped(paragraph: str) -> str:
    """Return a paragraph in lines that fit; one whose lines fit already stays as it was written."""
    if max(map(len, paragraph.split("\n"))) <= _WIDTH:
        return paragraph
    from textwrap import fill

    return fill(paragraph.replace("\n", " "), _WIDTH, break_on_hyphens=False)


def written(option: Option) -> str:
    """Return an option as help shows it: `-q, --quiet`, `--root DIR`."""
    names = ", ".join(option.names)
    return f"{names} {option.metavar}" if option.metavar else names
