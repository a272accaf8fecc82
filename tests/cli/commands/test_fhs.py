"""`denizen fhs`, with packages made here: a whole /usr, entered without root."""

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch
from denizen.linker.ldcache import CacheEntry, open_cache
from denizen.linker.ldcache_writer import write_cache
from tests.support.debs import Item
from tests.support.fhs_environments import FhsHome
from tests.support.hosts import HOSTS, Host, HostDirectories
from tests.support.processes import PATIENCE, wait_until
from tests.support.untraced import environment

pytestmark = pytest.mark.slow
TRIPLET = "usr/lib/x86_64-linux-gnu"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> FhsHome:
    made = FhsHome(tmp_path_factory.mktemp("home"))
    made.add(
        "tool",
        [Item("./usr/bin/tool", content=b'#!/usr/bin/env sh\necho tool "$@"\n', mode=0o755)],
        depends="data",
    )
    made.add("data", [Item("./usr/share/tool/data", content=b"data\n"), Item("./opt/tool/x", content=b"x")])
    made.add("rival", [Item("./usr/bin/tool", content=b"")], conflicts="tool")
    made.add("needy", depends="toool (>= 2)")
    made.add("other", [Item("./usr/share/other", content=b"other\n")])
    made.add("engine", [Item("./usr/lib/php/8/sapi/cli", content=b"")])
    made.add(
        "extension",
        [Item("./usr/share/extension/x.ini", content=b"; priority=15\nx\n")],
        depends="engine",
        postinst="for x in x; do f=$x.ini; ucf /usr/share/extension/$f /etc/php/8/mods-available/$f; done\n",
    )
    made.denizen("fhs", "create", "work", "tool")
    return made


def test_a_command_runs_with_its_arguments_by_the_shebang_path_it_names(home: FhsHome) -> None:
    assert home.out("work", "tool", "-x", "two words") == "tool -x two words\n"
    assert home.out("work", "cat", "/usr/share/tool/data", "/opt/tool/x") == "data\nx"


def test_an_extension_is_enabled_as_its_postinst_would_do_it(home: FhsHome) -> None:
    """Of ucf's configuration file, which leads to a template, that of PHP's conf.d is a link."""
    home.denizen("fhs", "create", "php", "extension")
    assert home.out("php", "cat", "/etc/php/8/cli/conf.d/15-x.ini") == "; priority=15\nx\n"


def test_exit_status_and_signals_are_the_commands(home: FhsHome) -> None:
    home.denizen("fhs", "run", "work", "sh", "-c", "exit 42", status=42)
    assert (
        home.denizen("fhs", "run", "work", "sh", "-c", "kill -TERM $$", status=None).returncode
        == -signal.SIGTERM
    )
    home.denizen("fhs", "run", "work", "no-such-command", status=127)


def test_it_is_the_same_process_from_denizen_to_the_command(home: FhsHome) -> None:
    with subprocess.Popen(
        home.command("fhs", "run", "work", "sh", "-c", "echo $$"), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.read()) == process.pid


def test_the_tree_cannot_be_written_and_nothing_is_made_on_the_host(home: FhsHome) -> None:
    before = sorted(os.listdir("/"))
    for path in ("/usr/x", "/etc/x", "/x", "/.denizen/x"):
        done = home.denizen("fhs", "run", "work", "touch", path, status=1)
        assert "Read-only file system" in done.stderr
    assert sorted(os.listdir("/")) == before


def test_home_and_tmp_are_the_hosts_and_the_working_directory_stays(home: FhsHome, tmp_path: Path) -> None:
    done = subprocess.run(
        home.command("fhs", "run", "work", "touch", "here"), cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, os.listdir(tmp_path)) == (0, ["here"])


def test_a_file_of_a_package_is_on_disk_once(home: FhsHome) -> None:
    home.denizen("fhs", "create", "second", "tool", "other")
    (inode, other) = (
        home.out(name, "stat", "-c", "%i %h", "/usr/share/tool/data") for name in ("work", "second")
    )
    assert inode == other
    assert int(inode.split()[1]) >= 3


def test_its_own_path_is_one_of_the_tree(home: FhsHome) -> None:
    assert home.out("work", "readlink", "/proc/self/exe") == "/usr/bin/readlink\n"


def test_triggers_were_run_by_the_trees_own_tool(home: FhsHome) -> None:
    assert b"/lib/x86_64-linux-gnu/libc.so.6\0" in (tree_of(home, "work") / "etc/ld.so.cache").read_bytes()


def test_who_i_am_is_the_hosts_to_say(home: FhsHome) -> None:
    assert home.out("work", "id") == subprocess.run(["id"], capture_output=True, text=True, check=True).stdout
    assert home.out("work", "cat", "/etc/passwd") == Path("/etc/passwd").read_text()


def test_the_launcher_does_the_same_without_python(home: FhsHome) -> None:
    launcher = home.root / "state/fhs/work/launch"
    done = subprocess.run([launcher, "tool", "a"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("tool a\n", "")


def test_an_environment_can_be_entered_from_another_and_from_bubblewrap(home: FhsHome) -> None:
    launcher = os.fspath(home.root / "state/fhs/work/launch")
    home.denizen("fhs", "create", "second", "other")
    second = os.fspath(home.root / "state/fhs/second/launch")
    words = [launcher, second, "cat", "/usr/share/other", "/etc/passwd"]
    expected = "other\n" + Path("/etc/passwd").read_text()
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == expected
    nested = ["bwrap", "--dev-bind", "/", "/", *words]
    assert subprocess.run(nested, capture_output=True, text=True, check=False).stdout == expected


def test_the_prompt_has_the_name(home: FhsHome, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("alias mine='echo of the user'\n")
    done = subprocess.run(
        home.command("fhs", "enter", "work"),
        input='echo "[$PS1]"\nmine\n',
        env={**os.environ, "HOME": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert "[(work) " in done.stdout
    assert "of the user" in done.stdout
    assert "set-user-ID programs (sudo, ping) have no effect" in done.stderr


def test_going_back_and_forth(home: FhsHome) -> None:
    home.denizen("fhs", "create", "turns", "tool")
    home.denizen("fhs", "create", "turns", "other")
    home.denizen("fhs", "run", "turns", "tool", status=127)
    back = home.denizen("fhs", "rollback", "turns", "--json").stdout
    assert json.loads(back) == {"name": "turns", "generation": 1}
    assert home.out("turns", "tool") == "tool\n"
    (shown,) = [
        row for row in json.loads(home.denizen("fhs", "list", "--json").stdout) if row["name"] == "turns"
    ]
    assert (shown["generation"], shown["generations"]) == (1, [1, 2])
    assert json.loads(home.denizen("fhs", "destroy", "turns", "--json").stdout) == {"destroyed": "turns"}


def test_a_missing_package_is_told_with_names_that_are_near(home: FhsHome) -> None:
    done = home.denizen("fhs", "create", "x", "toool", status=125)
    assert "not in the archive: toool" in done.stderr
    assert "near: tool" in done.stderr


def test_what_a_package_lacks_is_told_with_who_wants_it(home: FhsHome) -> None:
    done = home.denizen("fhs", "create", "x", "needy", status=125)
    assert "toool (>= 2): nothing satisfies it; wanted by needy" in done.stderr


def test_packages_that_exclude_each_other_are_both_named_with_a_remedy(home: FhsHome) -> None:
    done = home.denizen("fhs", "create", "x", "tool", "rival", status=125)
    assert "rival and tool" in done.stderr
    assert "leave out rival or tool" in done.stderr
    assert "x" not in [row["name"] for row in json.loads(home.denizen("fhs", "list", "--json").stdout)]


def test_an_environment_in_use_is_not_destroyed(home: FhsHome) -> None:
    home.denizen("fhs", "create", "busy")
    with subprocess.Popen(home.command("fhs", "run", "busy", "sleep", "1000")) as process:
        try:
            wait_until(lambda: os.path.exists(f"/proc/{process.pid}/root/.denizen/environment"))
            done = home.denizen("fhs", "destroy", "busy", status=125)
            assert f"by the processes {process.pid}" in done.stderr
        finally:
            process.kill()
    home.denizen("fhs", "destroy", "busy")
    home.denizen("fhs", "run", "busy", "id", status=125)


def test_an_interrupted_create_leaves_nothing_and_the_next_one_works(home: FhsHome) -> None:
    script = b"#!/bin/sh\nsleep 1000\nexit 0\n"
    home.add("slow", [Item("./usr/bin/update-desktop-database", content=script, mode=0o755),
                      Item("./usr/share/applications/a", content=b"")])  # fmt: skip
    home.set_up("index", "update")
    command = home.command("fhs", "create", "slow", "slow")
    with subprocess.Popen(command, start_new_session=True, env=environment()) as process:
        wait_until(lambda: bool(_sleeping(process.pid)))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    assert "slow" not in [row["name"] for row in json.loads(home.denizen("fhs", "list", "--json").stdout)]
    assert not [name for name in os.listdir(home.root / "data/store") if name.startswith(".tmp")]
    with subprocess.Popen(command, start_new_session=True, env=environment()) as process:
        wait_until(lambda: bool(_sleeping(process.pid)))
        for sleeping in _sleeping(process.pid):
            os.kill(sleeping, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_two_can_be_made_at_once(home: FhsHome) -> None:
    commands = [home.command("fhs", "create", name, "tool", "other", "--env", "A=1") for name in ("p", "q")]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait(PATIENCE) for process in running] == [0, 0]
    assert home.out("p", "sh", "-c", "echo $A") == home.out("q", "sh", "-c", "echo $A") == "1\n"


def test_two_generations_made_at_once_are_two(home: FhsHome) -> None:
    commands = [home.command("fhs", "create", "raced", package) for package in ("tool", "other")]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait(PATIENCE) for process in running] == [0, 0]
    (shown,) = [
        row for row in json.loads(home.denizen("fhs", "list", "--json").stdout) if row["name"] == "raced"
    ]
    assert shown["generations"] == [1, 2]


@pytest.mark.parametrize("name", ["bare root", "read-only store", "another uid", "no network", "noexec /tmp"])
def test_it_is_entered_on_a_host_that_lacks_things(home: FhsHome, name: str, tmp_path: Path) -> None:
    directories = HostDirectories(tmp_path / "root", tmp_path / "programs", tmp_path / "work")
    subprocess.run(["cp", "-a", home.root, directories.root], check=True)
    for room in (directories.programs, directories.work):
        room.mkdir()
    host = HOSTS[name](directories)
    outcome = host.run([*entering(host), "sh", "-c", "tool $0; id -u; cat /etc/hosts"])
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "tool sh"


@pytest.mark.parametrize("name", ["no user namespaces", "container"])
def test_where_the_kernel_refuses_it_says_so(home: FhsHome, name: str, tmp_path: Path) -> None:
    directories = HostDirectories(tmp_path / "root", tmp_path / "programs", tmp_path / "work")
    subprocess.run(["cp", "-a", home.root, directories.root], check=True)
    for room in (directories.programs, directories.work):
        room.mkdir()
    host = HOSTS[name](directories)
    outcome = host.run([*entering(host), "id"])
    assert outcome.status == 126
    assert "no namespace" in outcome.err


_OPENS_DRIVER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW);
    struct link_map *map;
    if (!driver || dlinfo(driver, RTLD_DI_LINKMAP, &map)) { puts(dlerror()); return 1; }
    puts(map->l_name);
    puts(getenv("LD_LIBRARY_PATH") ? "leaked" : "clean");
    return 0;
}
"""


def test_the_hosts_driver_libraries_are_found_without_a_variable(home: FhsHome, tmp_path: Path) -> None:
    """NVIDIA's can only be the host's: a library of this host stands in, by its entry in ld.so.cache."""
    library = Path("/lib/x86_64-linux-gnu/libz.so.1")
    program = tmp_path / "opens"
    subprocess.run(["gcc", "-x", "c", "-", "-o", program], input=_OPENS_DRIVER.encode(), check=True)
    home.denizen("fhs", "create", "gpu", "tool")
    own = list(open_cache(Path("/etc/ld.so.cache").read_bytes()).entries())

    def on_host_with(entries: Sequence[CacheEntry]) -> list[str]:
        cache = tmp_path / "ld.so.cache"
        cache.write_bytes(write_cache(entries))
        host = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", os.fspath(cache), "/etc/ld.so.cache"]
        words = [*host, *home.command("fhs", "run", "gpu", program)]
        twice = [subprocess.run(words, capture_output=True, text=True, check=False) for _ in range(2)]
        assert twice[0].stdout == twice[1].stdout  # anew, and by the launcher
        return twice[0].stdout.splitlines()

    driver = CacheEntry(b"libcuda.so.1", os.fsencode(library), 0x303)
    assert on_host_with([*own, driver]) == [f"/.denizen/host/usr{library}", "clean"]
    assert "libcuda.so.1: cannot open shared object file" in on_host_with(own)[0]


def test_a_collection_takes_what_no_generation_has(home: FhsHome) -> None:
    home.denizen("fhs", "create", "gone", "other", "data", "--env", "B=2")
    home.denizen("gc")
    assert home.out("gone", "sh", "-c", "echo $B") == "2\n"
    tree = tree_of(home, "gone")
    home.denizen("fhs", "create", "gone", "tool")
    home.denizen("fhs", "destroy", "gone")
    home.denizen("gc")
    assert not tree.exists()


def entering(host: Host) -> list[str]:
    return [*host.python, "--root", str(host.directories.root), "fhs", "run", "work"]


def tree_of(home: FhsHome, name: str) -> Path:
    return Path(json.loads(home.denizen("fhs", "show", name, "--json").stdout)["tree"])


def _sleeping(session: int) -> list[int]:
    """The numbers of a session's processes that sleep."""
    words = ["ps", "-s", str(session), "-o", "pid=,comm="]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return [int(number) for number, name in map(str.split, listed.splitlines()) if name == "sleep"]


def test_a_projects_environment_is_made_locked_and_entered_from_below(home: FhsHome, tmp_path: Path) -> None:
    project = tmp_path / "app"
    (project / "deep" / "er").mkdir(parents=True)
    (project / "denizen.toml").write_text(
        '[fhs]\npackages = ["tool"]\nbinds = ["./deep:/opt/tool"]\n[fhs.env]\nA = "b c"\n'
    )

    def shell(*words: str, where: Path = project, status: int = 0) -> str:
        done = subprocess.run(
            home.command("shell", *words), cwd=where, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    assert shell("sh", "-c", 'tool "$A"; ls /opt/tool', where=project / "deep") == "tool b c\ner\n"
    lock = (project / "denizen.lock").read_bytes()
    assert b'name = "tool"' in lock
    assert shell("tool") == "tool\n"
    (project / "denizen.toml").write_text('[fhs]\npackages = ["other"]\n')
    assert shell("cat", "/usr/share/other") == "other\n"
    assert b'name = "tool"' not in (project / "denizen.lock").read_bytes()
    (project / "denizen.toml").write_text('[fhs]\npackages = ["tool"]\n')
    (project / "denizen.lock").write_bytes(lock)
    assert shell("tool") == "tool\n"
    assert (project / "denizen.lock").read_bytes() == lock


def test_without_a_project_it_says_how_to_begin_one(home: FhsHome, tmp_path: Path) -> None:
    done = subprocess.run(home.command("shell"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "there is no denizen.toml" in done.stderr


@pytest.mark.parametrize(("word", "remedy"), [("work", "denizen fhs enter work"), ("gcc", "denizen x gcc")])
def test_a_word_for_a_shell_without_a_project_is_taken_for_what_it_may_mean(
    home: FhsHome, tmp_path: Path, word: str, remedy: str
) -> None:
    done = subprocess.run(
        home.command("shell", word), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 125
    assert f"{word} would be a command" in done.stderr
    assert remedy.removeprefix("denizen") in done.stderr


def test_root_makes_a_plain_chroot_and_leaves_no_mount_behind(home: FhsHome, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can mount")
    place = tmp_path / "chroot"
    # Quoted: the checkout may lie in a directory with a space in its name.
    mount, umount = (shlex.join(home.command("fhs", word, "work", place)) for word in ("mount", "umount"))
    destroy = shlex.join(home.command("fhs", "destroy", "work"))
    # Shared, as systemd makes /: what is taken down in the chroot must not be taken down outside.
    script = f"""
    mount --make-rshared / && sort /proc/self/mountinfo > "$0"/before
    {mount} && {mount}
    chroot "$0"/chroot /usr/bin/tool in the chroot
    {destroy} 2>&1
    touch "$0"/chroot/usr/x 2>&1
    {umount} && {umount}
    sort /proc/self/mountinfo > "$0"/after
    """
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0].startswith(f"{place} is now work")
    assert told[1].startswith(f"{place} was already work")
    assert told[2] == "tool in the chroot"
    assert f"mounted at {place}" in done.stdout
    assert "Read-only file system" in done.stdout
    assert told[-2:] == [f"{place}: taken down", f"{place}: nothing of ours is mounted there"]
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    assert os.listdir(place) == []


def test_a_directory_that_holds_something_is_no_place_for_a_chroot(home: FhsHome, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    done = home.denizen("fhs", "mount", "work", tmp_path, status=125)
    assert "an empty directory is wanted" in done.stderr
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize("name", ["bare root", "another uid", "read-only root"])
def test_it_is_made_on_a_host_that_lacks_things(home: FhsHome, name: str, tmp_path: Path) -> None:
    directories = HostDirectories(tmp_path / "root", tmp_path / "programs", tmp_path / "work")
    subprocess.run(["cp", "-a", home.root, directories.root], check=True)
    for room in (directories.programs, directories.work):
        room.mkdir()
    # The packages lie where that host can see them.
    shutil.copytree(home.debs, directories.root / "debs")
    for setting in (directories.root / "config/sources").iterdir():
        inside = HOSTS[name](directories).directories.root / "debs"
        setting.write_text(setting.read_text().replace(str(home.debs), str(inside)))
    host = HOSTS[name](directories)
    denizen = [*host.python, "--root", str(host.directories.root)]
    outcome = host.run([*denizen, "fhs", "create", "there", "other", "tool", "--env", f"A={name}"])
    assert outcome.status == 0, outcome.err
    outcome = host.run([*denizen, "fhs", "run", "there", "sh", "-c", 'tool "$A"; cat /usr/share/other'])
    assert outcome.out == f"tool {name}\nother\n", outcome.err


def test_an_environment_that_is_not_there_is_not_entered_in_words_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["--root", str(tmp_path), "fhs", "enter", "nowhere"]) != 0
    told = capsys.readouterr().err
    assert "there is no environment nowhere" in told
    assert "exit leaves it" not in told
