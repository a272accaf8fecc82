import shutil
import subprocess

import pytest

from denizen.cli.command import Command, Context
from denizen.cli.commands.manual import escaped, page, whole_page
from denizen.cli.dispatch import GLOBAL_OPTIONS, TABLE, commands_of
from denizen.cli.help import usage, written
from denizen.cli.options import Option, Parsed, Positional


def nothing(_: Parsed, __: Context) -> int:
    return 0


def test_every_command_and_option_is_in_the_page() -> None:
    text = whole_page().replace("\\-", "-")
    commands = [command for group in TABLE for command in commands_of(group)]
    assert len(commands) > 20
    for command in commands:
        line = usage(" ".join(command.words), command.positionals).removeprefix("usage: ")
        assert f".SS {line}\n" in text
        missing = [o for o in command.options if o.help and f"\\fB{written(o)}\\fR\n" not in text]
        assert not missing, command.words
    assert all(f"\\fB{written(option)}\\fR\n" in text for option in GLOBAL_OPTIONS)


@pytest.mark.peer
def test_groff_sets_the_page_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed, so nobody checks the page's requests")
    page_set = subprocess.run(
        ["groff", "-k", "-man", "-ww", "-Tutf8"], input=whole_page().encode(), capture_output=True, check=True
    )
    assert page_set.stderr == b""
    assert b"look at this host alone" in page_set.stdout


def test_text_cannot_become_a_request_or_an_escape() -> None:
    assert escaped(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert escaped("'a") == "\\&'a"
    assert escaped("\\fB --json") == "\\efB \\-\\-json"


def test_hidden_options_stay_hidden_and_examples_keep_their_lines() -> None:
    command = Command(
        ("x",),
        "do x",
        nothing,
        positionals=(Positional("FILE", "a file"),),
        options=(Option(("--secret",), ""), Option(("--name",), "its name", metavar="N")),
        description="First.\n\n  x --name a\n  x b",
    )
    text = page([command], [], ())
    assert "secret" not in text
    assert "\n.nf\n  x \\-\\-name a\n  x b\n.fi\n" in text
    assert "\n.TP\n\\fB\\-\\-name N\\fR\nits name\n" in text
