"""`denizen completion SHELL`: scripts for completion in shells, written from the command tables.

The scripts are static text: completing a word must not start Python.
"""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.command import Context
    from denizen.cli.options import Option, Parsed

SHELLS = ("bash", "zsh", "fish")


def run(parsed: Parsed, context: Context) -> int:
    """Print the completion script of the shell that was asked for."""
    from denizen.cli.dispatch import GLOBAL_OPTIONS, TABLE, commands_of

    shell = parsed.required("SHELL")
    if shell not in SHELLS:
        raise UsageError("completion", f"SHELL is one of {', '.join(SHELLS)}, not {shell!r}")
    commands = [command for group in TABLE for command in commands_of(group)]
    writer = {"bash": bash, "zsh": zsh, "fish": fish}[shell]
    context.output.line(writer(commands, GLOBAL_OPTIONS))
    return 0


def bash(commands: Sequence[Command], shared: Sequence[Option]) -> str:
    """Return a function that completes options or files by the words before the cursor."""
    cases = "\n".join(
        f"        {_pattern(command)}) words='{_words([*command.offered, *shared])}' ;;"
        for command in commands
    )
    firsts = " ".join(dict.fromkeys(command.words[0] for command in commands))
    seconds = "\n".join(
        f"        '{first}') words='{' '.join(below)}' ;;" for first, below in _subcommands(commands).items()
    )
    return f"""# denizen completion for bash: eval "$(denizen completion bash)"
_denizen() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} words=
    case "${{COMP_WORDS[*]:1:COMP_CWORD-1}}" in
        '') words='{firsts}' ;;
{seconds}
{cases}
    esac
    if [[ $current == -* || $COMP_CWORD == 1 || " $words" != *' -'* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}}
complete -o filenames -F _denizen denizen"""


def zsh(commands: Sequence[Command], shared: Sequence[Option]) -> str:
    """Return a compdef function."""
    lines = [f"'{first}:{_quoted(summary)}'" for first, summary in _first_words(commands)]
    cases = []
    for command in commands:
        rows = [f"'{spec}'" for option in (*command.offered, *shared) for spec in _zsh_option(option)]
        cases.append(
            f"        '{' '.join(command.words)}'*) _arguments -s {' '.join(rows)} '*:file:_files' ;;"
        )
    for first, below in _subcommands(commands).items():
        cases.append(f"        '{first}') compadd {' '.join(below)} ;;")
    return f"""#compdef denizen
# denizen completion for zsh: save as _denizen in a directory of $fpath
_denizen() {{
    if (( CURRENT == 2 )); then
        local -a commands=({" ".join(lines)})
        _describe command commands
        return
    fi
    case "${{(j: :)words[2,CURRENT-1]}}" in
{chr(10).join(cases)}
    esac
}}
compdef _denizen denizen"""


def fish(commands: Sequence[Command], shared: Sequence[Option]) -> str:
    """Return one `complete` line for each word and option."""
    lines = ["# denizen completion for fish: denizen completion fish | source"]
    for first, summary in _first_words(commands):
        lines.append(f"complete -c denizen -n __fish_use_subcommand -f -a {first} -d '{_quoted(summary)}'")
    for first, below in _subcommands(commands).items():
        lines.append(
            f"complete -c denizen -n '__fish_seen_subcommand_from {first}' -f -a '{' '.join(below)}'"
        )
    for command in commands:
        condition = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words)
        lines += [
            f"complete -c denizen -n '{condition}' {_fish_option(option)}" for option in command.offered
        ]
    lines += [f"complete -c denizen {_fish_option(option)}" for option in shared]
    return "\n".join(lines)


def _pattern(command: Command) -> str:
    return f"'{' '.join(command.words)}'|'{' '.join(command.words)} '*"


def _words(options: Sequence[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def _first_words(commands: Sequence[Command]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for command in commands:
        found.setdefault(command.words[0], command.summary if len(command.words) == 1 else "")
    return list(found.items())


def _subcommands(commands: Sequence[Command]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for command in commands:
        if len(command.words) > 1:
            found.setdefault(command.words[0], []).append(command.words[1])
    return found


def _zsh_option(option: Option) -> list[str]:
    value = (
        f":{option.metavar}:({' '.join(option.choices)})" if option.choices else f":{option.metavar}:_files"
    )
    tail = f"[{_quoted(option.help)}]{value if option.metavar else ''}"
    return [f"{'*' if option.repeat else ''}{name}{tail}" for name in option.names]


def _fish_option(option: Option) -> str:
    names = " ".join(
        f"-l {name.removeprefix('--')}" if name.startswith("--") else f"-s {name[1:]}"
        for name in option.names
    )
    value = f" -x -a '{' '.join(option.choices)}'" if option.choices else " -r" if option.metavar else ""
    return f"{names}{value} -d '{_quoted(option.help)}'"


def _quoted(text: str) -> str:
    """Return text that is safe between single quotes in all three shells, and between brackets in zsh."""
    return text.replace("'", "’").replace("[", "(").replace("]", ")").replace(":", ";")


COMMANDS = (
    Command(
        ("completion",),
        "print a completion script",
        run,
        positionals=(Positional("SHELL", "bash, zsh or fish"),),
        description='Print a completion script for a shell:\n\n  eval "$(denizen completion bash)"',
        is_text=True,
    ),
)
