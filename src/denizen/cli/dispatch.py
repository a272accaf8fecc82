"""Dispatch of words to the command that they name: help, typos, global options, errors and exit statuses."""

from __future__ import annotations

import os
import sys

from denizen import __version__
from denizen.app.session import SYSTEM_ROOT, Session
from denizen.cli.command import Command, Context, Group, OutputReporter
from denizen.cli.options import Option, UsageError, own_words, parse
from denizen.cli.output import CannotWrite, Output, open_output
from denizen.errors import (
    EXIT_BROKEN_PIPE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    NO_MEMORY,
    DenizenError,
    lacks_memory,
)
from denizen.launch.process_state import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from denizen.cli.options import Parsed


_HELP = frozenset(("-h", "--help"))
# What Python says where the kernel starts no thread; the class is that of every error without one.
_NO_THREAD = "can't start new thread"
# One constant, and no code that runs for each row: 60 us of every start.
# (the first word, its module, its line in `denizen --help`, whether it is among the everyday verbs there)
TABLE: tuple[Group, ...] = tuple(
    map(
        Group._make,
        (
            ("run", "denizen.cli.commands.run", "start a program, bringing what it needs", True),
            (
                "install",
                "denizen.cli.commands.install",
                "install packages or programs, whose commands then run",
                True,
            ),
            ("x", "denizen.cli.commands.x", "run a command of a package without installing it", True),
            ("search", "denizen.cli.commands.upgrade", "packages by words in names and descriptions", True),
            ("upgrade", "denizen.cli.commands.upgrade", "bring what is installed up to date", True),
            ("outdated", "denizen.cli.commands.upgrade", "what could be upgraded", False),
            (
                "env",
                "denizen.cli.commands.env",
                "the variables by which a shell finds what is installed",
                False,
            ),
            (
                "command-not-found",
                "denizen.cli.commands.command_not_found",
                "which packages have a command, for a shell",
                False,
            ),
            ("sync", "denizen.cli.commands.sync", "make a profile what a denizen.toml says", False),
            ("remove", "denizen.cli.commands.install", "remove what was installed", True),
            ("list", "denizen.cli.commands.install", "what is installed", True),
            ("pin", "denizen.cli.commands.install", "leave what is installed at its version", False),
            ("unpin", "denizen.cli.commands.install", "upgrade it again", False),
            (
                "profile",
                "denizen.cli.commands.profile",
                "generations of what is installed: history, rollback, deletion",
                False,
            ),
            (
                "why",
                "denizen.cli.commands.why",
                "everything known about a program, and why it does not start",
                True,
            ),
            ("lock", "denizen.cli.commands.lock", "write the resolution of a program as a lock file", True),
            (
                "doctor",
                "denizen.cli.commands.doctor",
                "features that this host allows, found by trying them",
                True,
            ),
            ("gc", "denizen.cli.commands.gc", "collect garbage", True),
            (
                "find",
                "denizen.cli.commands.find",
                "packages that provide a soname, a command, or a path (glob)",
                True,
            ),
            (
                "index",
                "denizen.cli.commands.index",
                "update indexes of packages, or say how old they are",
                False,
            ),
            ("source", "denizen.cli.commands.source", "where packages come from: list, add, remove", False),
            ("store", "denizen.cli.commands.store", "add, query, verify, move, export store objects", False),
            ("derivation", "denizen.cli.commands.derivation", "what a derivation's file holds", False),
            ("realise", "denizen.cli.commands.realise", "make the outputs of derivations valid", False),
            ("build", "denizen.cli.commands.build", "build a recipe in a sandbox", True),
            (
                "develop",
                "denizen.cli.commands.develop",
                "a shell with a recipe's compiler, tools and libraries",
                True,
            ),
            ("log", "denizen.cli.commands.log", "what the builder of a derivation said", False),
            (
                "system",
                "denizen.cli.commands.system",
                "a machine's /etc, accounts, units and boot entries by a description",
                False,
            ),
            ("shell", "denizen.cli.commands.shell", "the environment of this project's denizen.toml", True),
            (
                "fhs",
                "denizen.cli.commands.fhs",
                "environments with a whole /usr, entered without root",
                False,
            ),
            (
                "patch",
                "denizen.cli.commands.patch",
                "change a program's interpreter, run path and needed libraries",
                False,
            ),
            ("relocate", "denizen.cli.commands.relocate", "let a tree work at another path", False),
            (
                "bundle",
                "denizen.cli.commands.bundle",
                "a program with all that it needs as one file that runs anywhere",
                True,
            ),
            (
                "export",
                "denizen.cli.commands.export",
                "a program, environment or profile as a container image, an archive or a package",
                False,
            ),
            (
                "sbom",
                "denizen.cli.commands.sbom",
                "which packages a program, environment or profile has, as a bill of materials",
                False,
            ),
            ("loader", "denizen.cli.commands.loader", "the C loader as this host's interpreter", False),
            ("decide", "denizen.cli.commands.decide", "choose and fetch what a program needs", False),
            ("completion", "denizen.cli.commands.completion", "completion for bash, zsh or fish", False),
            ("manual", "denizen.cli.commands.manual", "the manual page, as man(1) reads it", False),
        ),
    )
)

GLOBAL_OPTIONS: tuple[Option, ...] = (
    Option(("--root",), "keep store, state and cache under DIR (or DENIZEN_ROOT)", metavar="DIR"),
    Option(("--json",), "one JSON document on stdout, nothing else there"),
    Option(
        ("--color",),
        "auto, always or never",
        metavar="WHEN",
        choices=("auto", "always", "never"),
        default="auto",
    ),
    Option(("-q", "--quiet"), "say only what went wrong"),
    Option(("-v", "--verbose"), "say more", repeat=True),
    Option(("--debug",), "tracebacks instead of sentences"),
    Option(("-h", "--help"), "this text"),
)


def _nothing() -> None:
    """Do nothing."""


def _discard_result(*streams: TextIO | None) -> None:
    """Discard what could not be written: else the interpreter tries again at exit and ends with 120."""
    for stream in filter(None, streams):  # Python has None for one that was closed at its start
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def dispatch(arguments: Sequence[str], at_exec: Callable[[], None] = _nothing) -> int:
    """Run `arguments` (without the program's name) and return the exit status.

    Errors are printed, not raised. `at_exec` is called before this process becomes another program.
    """
    try:
        return _told(arguments, at_exec)
    except BrokenPipeError:
        # The reader (head, less) has gone: print nothing, as Unix tools do. It may have read errors, too.
        _discard_result(sys.stdout, sys.stderr)
        return EXIT_BROKEN_PIPE


class _Asked:
    """The part of the caller's words that is about errors.

    Attributes:
        debug: errors are to be raised, for their tracebacks.
        parsed: the values of the command line; None until it is read.
    """

    __slots__ = ("debug", "parsed")

    def __init__(self, *, debug: bool) -> None:
        self.debug = debug
        self.parsed: Parsed | None = None


def _told(arguments: Sequence[str], at_exec: Callable[[], None]) -> int:
    """Run `arguments`; what goes wrong is printed. Raises BrokenPipeError."""
    take(os.environ)
    output = open_output(os.environ, color="auto", verbosity=0)
    asked = _Asked(debug="--debug" in arguments[: _first_word(arguments)])
    try:
        status = _dispatch(list(arguments), output, at_exec, asked)
        output.flush()
    except KeyboardInterrupt:
        output.say("denizen: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if asked.debug:
            raise
        return _tell_with_memory(error, output, asked)
    return status


def _tell_with_memory(error: Exception, output: Output, asked: _Asked) -> int:
    """Print an error, or that memory is lacking, for its words too; return the exit status."""
    try:
        if not lacks_memory(error):
            return _tell(error, output, asked)
    except Exception as another:
        if not lacks_memory(another):
            raise
    os.write(2, NO_MEMORY)
    return EXIT_FAILED


def _tell(error: Exception, output: Output, asked: _Asked) -> int:
    """Print an error; return the exit status."""
    told = _error_of(error)
    if told is None:
        from denizen.app.process_limits import is_short_of_addresses

        if is_short_of_addresses():  # Python's own modules lose MemoryError: "unknown encoding: idna"
            raise MemoryError from error
        output.internal(error)
        return EXIT_FAILED
    output.error(told, _remedy(told, asked))
    if isinstance(told, CannotWrite):
        _discard_result(sys.stdout)
    return told.exit_status


def _error_of(error: Exception) -> DenizenError | None:
    """Return the error to tell: a full disk, say, is no defect of denizen.

    Return None for what is one.
    """
    if isinstance(error, DenizenError):
        return error
    from denizen.app import errors

    if isinstance(error, OSError):
        return errors.error_of(error)
    if isinstance(error, RuntimeError) and str(error).startswith(_NO_THREAD):
        return errors.NoThreads()
    return None


def _remedy(error: DenizenError, asked: _Asked) -> str:
    """Return an error's remedy, with the options by which the caller chose root and profile."""
    if asked.parsed is None or not error.remedy:
        return error.remedy
    from denizen.cli.remedies import as_typed, options_of

    return as_typed(error.remedy, options_of(asked.parsed), [row.word for row in TABLE])


def _dispatch(arguments: list[str], output: Output, at_exec: Callable[[], None], asked: _Asked) -> int:
    """Run the command that the arguments name; what is asked for is noted in `asked`."""
    position = _first_word(arguments)
    if position is None:
        return _without_command(arguments, output)
    group = next((row for row in TABLE if row.word == arguments[position]), None)
    if group is None:
        raise _unknown(arguments[position], [row.word for row in TABLE])
    command, rest = _select(commands_of(group), arguments[position:])
    # Global options may also precede the command's words.
    rest = [*arguments[:position], *rest]
    options = (*command.options, *GLOBAL_OPTIONS)
    if _HELP & set(rest) or "--debug" in rest:
        own = own_words(options, command.positionals, rest)
        asked.debug = "--debug" in own
        if _HELP & set(own):
            from denizen.cli.help import command_help  # 0.1 ms that only help pays

            output.line(command_help(command, GLOBAL_OPTIONS))
            return 0
    asked.parsed = parse(" ".join(command.words), options, command.positionals, rest)
    if command.is_text and asked.parsed.flag("json"):
        raise UsageError(" ".join(command.words), "its result is not one for --json")
    return command.run(asked.parsed, _context(asked.parsed, at_exec))


def commands_of(group: Group) -> tuple[Command, ...]:
    """Return the commands of a row of the table; imports its module."""
    # __import__ rather than importlib.import_module, which would be one more import on every start.
    module = __import__(group.module, fromlist=["COMMANDS"])
    commands: tuple[Command, ...] = module.COMMANDS
    return commands


def _select(commands: Sequence[Command], words: Sequence[str]) -> tuple[Command, list[str]]:
    """Return the command that the first words name, and the words after them. Raises UsageError.

    Global options may stand between the two words of a command.
    """
    for command in commands:
        if command.words == (words[0],):
            return command, list(words[1:])
    second = _first_word(words[1:])
    if second is None:
        return _without_second_word(commands, words)
    given, rest = words[1 + second], [*words[1 : 1 + second], *words[2 + second :]]
    for command in commands:
        if command.words == (words[0], given):
            return command, rest
    below = [" ".join(command.words) for command in commands]
    raise _unknown(f"{words[0]} {given}", below)


def _without_second_word(commands: Sequence[Command], words: Sequence[str]) -> tuple[Command, list[str]]:
    """Return the command that lists those below a word, if help is asked for. Raises UsageError."""
    if _HELP & set(words):
        from denizen.cli.help import overview

        return overview(words[0], commands), []
    raise UsageError(words[0], f"which? One of {', '.join(command.words[1] for command in commands)}")


def _context(parsed: Parsed, at_exec: Callable[[], None]) -> Context:
    output = open_output(
        os.environ,
        color=parsed.text("color") or "auto",
        verbosity=parsed.count("verbose") - int(parsed.flag("quiet")),
    )
    system = parsed.has("system") and parsed.flag("system")
    root = parsed.text("root") or (SYSTEM_ROOT if system else os.environ.get("DENIZEN_ROOT")) or None
    session = Session(os.environ, root, OutputReporter(output, at_exec), short_lived=True)
    return Context(session, output, parsed.flag("json"))


def _first_word(arguments: Sequence[str]) -> int | None:
    """Return the position of the command's first word, after global options and their values.

    Return None if there is none.
    """
    valued = {name for option in GLOBAL_OPTIONS if option.metavar for name in option.names}
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in valued:
            skip = True
        elif not argument.startswith("-"):
            return position
    return None


def _without_command(arguments: Sequence[str], output: Output) -> int:
    if {"-V", "--version"} & set(arguments):
        output.line(f"denizen {__version__}")
        return 0
    parse("", GLOBAL_OPTIONS, (), arguments)
    from denizen.cli.help import general_help

    output.line(general_help(TABLE, GLOBAL_OPTIONS))
    return 0


def _unknown(given: str, known: Sequence[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(given, known, n=1)
    hint = f"denizen {near[0]}" if near else "denizen --help"
    return UsageError("", f"there is no command '{given}'", hint)
