import subprocess
from pathlib import Path

import pytest

from denizen.profiles.shell_environment import direnv_function, script, settings
from tests.support.peers import require

PROFILE = "/home/o'hara $HOME/profile"
UNSET: dict[str, str] = {}


def test_the_profile_comes_first_and_what_was_there_stays() -> None:
    found = settings("/p", {"PATH": "/bin", "XDG_DATA_DIRS": "/d", "MANPATH": "/m"})
    assert found == {
        "PATH": "/p/bin:/bin",
        "MANPATH": "/p/share/man:/m",
        "INFOPATH": "/p/share/info:",
        "XDG_DATA_DIRS": "/p/share:/d",
    }


def test_what_is_not_set_gets_the_default_that_programs_have() -> None:
    found = settings("/p", UNSET)
    assert found["XDG_DATA_DIRS"] == "/p/share:/usr/local/share:/usr/share"
    assert found["MANPATH"] == "/p/share/man:"  # the empty element is man's own search
    assert found["PATH"].endswith(":/usr/local/bin:/usr/bin:/bin")


def test_twice_changes_nothing() -> None:
    once = settings("/p", {"PATH": "/bin"})
    assert settings("/p", once) == {}


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_a_shell_reads_it_whatever_the_path_holds(shell: str) -> None:
    require(shell)
    lines = "\n".join(script(PROFILE, {"PATH": "/usr/bin:/bin"}, shell))
    say = (
        'printf "%s\\n" (string join : $PATH) "$XDG_DATA_DIRS"'
        if shell == "fish"
        else 'printf "%s\\n" "$PATH" "$XDG_DATA_DIRS"'
    )
    done = subprocess.run([shell, "-c", f"{lines}\n{say}"], capture_output=True, text=True, check=True)
    path, data = done.stdout.splitlines()
    assert path == f"{PROFILE}/bin:/usr/bin:/bin"
    assert data.split(":")[0] == f"{PROFILE}/share"


def test_zsh_gets_its_completions() -> None:
    require("zsh")
    lines = "\n".join(script(PROFILE, UNSET, "zsh"))
    done = subprocess.run(
        ["zsh", "-c", f"{lines}\nprint -l $fpath"], capture_output=True, text=True, check=True
    )
    assert f"{PROFILE}/share/zsh/vendor-completions" in done.stdout.splitlines()


def test_direnv_gets_a_function() -> None:
    text = "\n".join(direnv_function("echo export CALLED=1; echo : "))
    command = f'{text}\nuse_denizen work; echo "$CALLED"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_direnv_gives_a_project_what_it_is_compiled_with(tmp_path: Path) -> None:
    (tmp_path / "denizen.toml").write_text("[fhs]\npackages = []\n[develop]\npackages = []\n")
    text = "\n".join(direnv_function("echo echo"))
    command = f"watch_file() {{ :; }}\n{text}\nuse_denizen; use_denizen work"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == ["develop --print-env", "env --shell bash --profile work"]
