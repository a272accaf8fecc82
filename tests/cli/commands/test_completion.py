import shutil
import subprocess
from collections.abc import Callable, Sequence

import pytest

from denizen.cli.command import Command, Context
from denizen.cli.commands.completion import bash, fish, zsh
from denizen.cli.options import Option, Parsed


def nothing(_: Parsed, __: Context) -> int:
    return 0


COMMANDS = (
    Command(
        ("why",),
        "what's wrong",
        nothing,
        options=(Option(("--host",), "this [host] alone"), Option(("--x-internal",), "")),
    ),
    Command(("store", "add"), "copy in", nothing, options=(Option(("--name",), "its name", metavar="N"),)),
    Command(("store", "list"), "all of them", nothing),
)
SHARED = (
    Option(("-q", "--quiet"), "hush"),
    Option(("--color",), "c", metavar="W", choices=("auto", "never")),
)


def offered(words: list[str]) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        f"{bash(COMMANDS, SHARED)}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _denizen\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["denizen", ""], ["why", "store"]),
        (["denizen", "s"], ["store"]),
        (["denizen", "store", ""], ["add", "list"]),
        (["denizen", "why", "--h"], ["--host"]),
        (["denizen", "store", "add", "--n"], ["--name"]),
        (["denizen", "store", "add", "x", "-"], ["--name", "-q", "--quiet", "--color"]),
    ],
)
def test_bash_offers_commands_and_options(words: list[str], expected: list[str]) -> None:
    assert offered(words) == expected


@pytest.mark.parametrize("writer", [bash, zsh, fish])
def test_what_help_hides_no_shell_offers(
    writer: Callable[[Sequence[Command], Sequence[Option]], str],
) -> None:
    assert "x-internal" not in writer(COMMANDS, SHARED)


def test_bash_offers_files_where_a_program_is_wanted() -> None:
    assert "/etc/passwd" in offered(["denizen", "why", "/etc/passw"])


@pytest.mark.parametrize(("shell", "writer"), [("zsh", zsh), ("fish", fish)])
def test_the_other_shells_can_read_their_script(shell: str, writer: object) -> None:
    assert callable(writer)
    script = writer(COMMANDS, SHARED)
    assert "what’s wrong" in script  # an apostrophe in help must not end the quoting
    if shutil.which(shell):
        subprocess.run([shell, "-n", "-c", script], check=True)
