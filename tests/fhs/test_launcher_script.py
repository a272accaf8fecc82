"""The script that enters without Python says what it is given, whatever characters that has."""

import subprocess
from pathlib import Path

from denizen.fhs.launcher_script import Launch, script


def run(path: Path, launch: Launch, *words: str, **env: str) -> list[str]:
    path.write_bytes(script(launch))
    done = subprocess.run(["/bin/sh", path, *words], env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_words_and_variables_arrive_as_they_are(tmp_path: Path) -> None:
    odd = 'it\'s "$HOME" `x` \\ *'
    launch = Launch(b"# n", (b"/usr/bin/printf", b"%s|", odd.encode(), b"--"), {"ODD": odd}, "", (b"sh",))
    (line,) = run(tmp_path / "launch", launch, "printenv", "ODD")
    assert line == f"{odd}|--|/usr/bin/env|printenv|ODD|"
    inner = Launch(b"# n", (b"/usr/bin/env",), {"ODD": odd}, "", (b"sh",))
    assert run(tmp_path / "launch", inner, "printenv", "ODD") == [odd]


def test_without_a_command_it_is_the_shell(tmp_path: Path) -> None:
    launch = Launch(b"# n", (b"/bin/echo",), {}, "", (b"/bin/bash", b"-i"))
    assert run(tmp_path / "launch", launch) == ["/usr/bin/env /bin/bash -i"]


def test_the_locale_is_set_where_the_user_has_none(tmp_path: Path) -> None:
    launch = Launch(b"# n", (b"/usr/bin/env",), {}, "de_DE.UTF-8", (b"sh",))
    assert run(tmp_path / "launch", launch, "printenv", "LANG") == ["de_DE.UTF-8"]
    assert run(tmp_path / "launch", launch, "printenv", "LANG", LANG="C") == ["C"]
