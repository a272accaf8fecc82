"""From words to the command they name: help, typos, global options, errors and exit statuses."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from denizen import __version__
from denizen.cli.command import Command, Context
from denizen.cli.output import Output, open_output
from denizen.errors import EXIT_FAILED, EXIT_USAGE, DenizenError

# 128 + SIGINT, as a shell reports it.
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the command table: the first word, its module, its line in `denizen --help`."""

    word: str
    module: str
    summary: str
    everyday: bool


TABLE: tuple[Group, ...] = (
    Group(
        "why", "denizen.cli.why", "everything known about a program, and why it does not start", everyday=True
    ),
)


def dispatch(arguments: Sequence[str]) -> int:
    """Run `arguments` (without the program's name); returns the exit status and never raises."""
    output = open_output(os.environ, color="auto", verbosity=0)
    debug = "--debug" in arguments
    try:
        status = _dispatch(list(arguments))
        sys.stdout.flush()
    except DenizenError as error:
        if debug:
            raise
        output.error(error)
        return error.exit_status
    except KeyboardInterrupt:
        output.say("denizen: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) went away: as quiet as any Unix tool, and no second
        # complaint from the interpreter when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if debug:
            raise
        output.stderr.write(
            f"denizen: internal error: {type(error).__name__}: {error}\n"
            "  this is a defect in denizen; run again with --debug for the traceback\n"
        )
        return EXIT_FAILED
    return status


def _dispatch(arguments: list[str]) -> int:
    word, position = _first_word(arguments)
    if word is None:
        if {"-h", "--help"} & set(arguments) or not arguments:
            sys.stdout.write(_help())
            return 0
        if {"-V", "--version"} & set(arguments):
            sys.stdout.write(f"denizen {__version__}\n")
            return 0
        return _usage(f"no command among: {' '.join(arguments)}")
    group = next((row for row in TABLE if row.word == word), None)
    if group is None:
        return _unknown(word)
    commands: tuple[Command, ...] = importlib.import_module(group.module).COMMANDS
    parser = _parser(commands)
    # Global options may stand before the command too; argparse wants them after it.
    moved = [*arguments[position + 1 :]]
    namespace = parser.parse_args([word, *arguments[:position], *moved])
    command: Command = namespace.command
    return command.run(namespace, _context(namespace))


def _context(namespace: argparse.Namespace) -> Context:
    output: Output = open_output(
        os.environ, color=namespace.color, verbosity=namespace.verbose - (1 if namespace.quiet else 0)
    )
    root = namespace.root or os.environ.get("DENIZEN_ROOT") or None
    return Context(os.environ, output, root, namespace.json, namespace.debug)


def _first_word(arguments: Sequence[str]) -> tuple[str | None, int]:
    """The first argument that is neither a global option nor the value of one."""
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in ("--root", "--color"):
            skip = True
        elif not argument.startswith("-"):
            return argument, position
    return None, 0


def _parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="denizen", add_help=False, allow_abbrev=False)
    _add_commands(parser, commands, depth=0)
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command], *, depth: int) -> None:
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    words = dict.fromkeys(command.path[depth] for command in commands)
    for word in words:
        below = [command for command in commands if command.path[depth] == word]
        if len(below) == 1 and len(below[0].path) == depth + 1:
            (command,) = below
            leaf = choices.add_parser(
                word,
                help=command.summary,
                description=command.description or command.summary.capitalize() + ".",
                formatter_class=argparse.RawDescriptionHelpFormatter,
                allow_abbrev=False,
            )
            command.arguments(leaf)
            _add_global_options(leaf)
            leaf.set_defaults(command=command)
        else:
            _add_commands(choices.add_parser(word, allow_abbrev=False), below, depth=depth + 1)


def _add_global_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options of every command")
    group.add_argument(
        "--root", metavar="DIR", help="keep store, state and cache under DIR (or DENIZEN_ROOT)"
    )
    group.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    group.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    group.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    group.add_argument("--debug", action="store_true", help="tracebacks instead of sentences")


def _help() -> str:
    width = max(len(row.word) for row in TABLE)
    lines = ["usage: denizen COMMAND [options] ...", "", "Any Linux program runs on any Linux machine.", ""]
    for title, everyday in (("everyday:", True), ("plumbing:", False)):
        rows = [row for row in TABLE if row.everyday is everyday]
        if rows:
            lines += [title, *(f"  {row.word:{width}}  {row.summary}" for row in rows), ""]
    lines.append("denizen COMMAND --help says more; denizen --version says which denizen this is.")
    return "\n".join(lines) + "\n"


def _unknown(word: str) -> int:
    from difflib import get_close_matches

    near = get_close_matches(word, [row.word for row in TABLE], n=1)
    hint = f"did you mean 'denizen {near[0]}'?" if near else "'denizen --help' lists the commands"
    return _usage(f"there is no command '{word}'; {hint}")


def _usage(problem: str) -> int:
    sys.stderr.write(f"denizen: {problem}\n")
    return EXIT_USAGE
