import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.app.paths import DenizenPaths, paths_of
from denizen.app.store_away import StoreAway
from denizen.disk import make_directories
from denizen.trust import Untrusted, home_of
from tests.support.generated_trees import NOBODY

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def found(root: Path | None = None, **environ: str) -> DenizenPaths:
    return paths_of(str(root) if root else None, environ)


def run(root: Path, *words: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "denizen", "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, umask=umask)


def test_everything_is_below_one_root_or_in_the_xdg_directories(tmp_path: Path) -> None:
    assert found(tmp_path).store == os.fsencode(tmp_path / "data/store")
    assert found(HOME=str(tmp_path)).state == os.fsencode(tmp_path / ".local/state/denizen")
    own = found(HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "c"), XDG_DATA_HOME="relative")
    assert (own.cache, own.data) == tuple(
        os.fsencode(tmp_path / p) for p in ("c/denizen", ".local/share/denizen")
    )


@AS_ROOT
def test_without_home_the_user_databases_is_taken_or_one_below_tmp() -> None:
    """Programs start without HOME, as in services and under `env -i`: so they must under denizen."""
    data = b".local/share/denizen"
    assert found().data == found(HOME="relative").data == os.path.join(os.fsencode(home_of(0)), data)
    code = (
        "import os, sys; from denizen.app.paths import paths_of; "
        "os.seteuid(543210); print(os.fsdecode(paths_of(None, {}).data))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == f"/tmp/denizen-543210/{data.decode()}\n"


@AS_ROOT
@pytest.mark.parametrize("home", ["closed", "closed/below", "open/none/at all"])
def test_a_home_that_its_user_can_neither_enter_nor_make_is_not_used(short_path: Path, home: str) -> None:
    """As root's, which `su -m` leaves, and a service's /nonexistent."""
    for name, mode in (("open", 0o755), ("closed", 0o700), ("", 0o755)):
        (short_path / name).mkdir(exist_ok=True)
        (short_path / name).chmod(mode)  # whatever the umask of the tests
    code = (
        "import os, sys; from denizen.app.paths import paths_of; os.setuid(543210); "
        "print(os.fsdecode(paths_of(None, {'HOME': sys.argv[1]}).data))"
    )
    for given, data in (
        (short_path / home, "/tmp/denizen-543210"),
        (short_path / "open", short_path / "open"),
    ):
        command = [sys.executable, "-c", code, str(given)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        assert shown.stdout == f"{data}/.local/share/denizen\n"


@AS_ROOT
def test_a_home_below_tmp_that_somebody_else_made_is_not_used() -> None:
    place = Path(f"/tmp/denizen-{(uid := 500_000 + os.getpid())}")
    place.mkdir(0o755)
    try:
        os.chown(place, NOBODY, NOBODY)
        code = f"import os; from denizen.app.paths import paths_of; os.seteuid({uid}); paths_of(None, {{}})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "Untrusted" in done.stderr
        assert str(place) in done.stderr
    finally:
        place.rmdir()


@AS_ROOT
def test_with_the_home_of_another_user_root_uses_its_own(tmp_path: Path) -> None:
    """As under sudo, which keeps HOME on some systems, and with -E on all."""
    home = tmp_path / "alice"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    own = os.fsencode(home_of(0))
    assert found(HOME=str(home)).data == own + b"/.local/share/denizen"
    assert found(HOME=str(home), XDG_STATE_HOME=str(home / "deep/er")).state == own + b"/.local/state/denizen"


@pytest.mark.parametrize(
    "name",
    [
        "data",
        "data/store",
        "data/store/.denizen",
        "state",
        "state/decisions",
        "state/profiles",
        "state/public",
        "state/tools",
        "cache",
        "cache/facts",
        "cache/index",
        "cache/lists",
        "cache/packages",
        "cache/packages/partial",
        "config",
        "config/sources",
    ],
)
def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, name: str) -> None:
    make_directories(os.fsencode(tmp_path / name))
    (tmp_path / name).chmod(0o777)
    with pytest.raises(Untrusted, match=name):
        found(tmp_path)
    done = run(tmp_path, "store", "list")
    assert done.returncode == 125
    assert "chmod go-w" in done.stderr


@AS_ROOT
@pytest.mark.parametrize(
    "words",
    [["store", "list"], ["store", "add", "/etc/hostname"], ["gc"], ["run", "true"], ["index", "status"]],
)
def test_a_root_of_another_user_is_refused_in_a_sentence(tmp_path: Path, words: list[str]) -> None:
    assert not run(tmp_path, "store", "add", "/etc/hostname").returncode
    for place in (tmp_path, *tmp_path.rglob("*")):
        os.chown(place, NOBODY, NOBODY, follow_symlinks=False)
    done = run(tmp_path, *words)
    assert done.returncode == 125
    assert "internal error" not in done.stderr
    assert "belongs to" in done.stderr
    assert "--root DIR" in done.stderr


@AS_ROOT
@pytest.mark.parametrize("name", ["", "new", "new/deeper"])
def test_a_root_that_is_empty_so_far_is_not_made_in_another_users_directory(
    tmp_path: Path, name: str
) -> None:
    """As under sudo with `--root` of the caller's; that could put other directories in place of ours."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    done = run(theirs / name, "store", "add", "/etc/hostname")
    assert done.returncode == 125
    assert f"(uid {NOBODY}), and you are root (uid 0)" in done.stderr
    assert not list(theirs.iterdir())


@AS_ROOT
def test_a_root_that_cannot_be_looked_into_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    tmp_path.chmod(0o700)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(Untrusted) as caught:
            found(tmp_path)
    finally:
        os.seteuid(0)
    assert caught.value.why == f"Permission denied; you are nobody (uid {NOBODY})"


@pytest.mark.parametrize("name", ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"])
def test_where_anybody_may_rename_our_directory_it_is_not_made(tmp_path: Path, name: str) -> None:
    """Between a look at its owner and its use another user could put one in its place; not in /tmp."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(Untrusted, match="shared"):
        paths_of(None, {"HOME": str(tmp_path), name: str(shared)})
    shared.chmod(0o1777)
    shown = paths_of(None, {"HOME": str(tmp_path), name: str(shared)})
    assert os.fsencode(shared / "denizen") in (shown.data, shown.state, shown.cache, shown.config)


def test_without_rights_for_the_owner_in_the_umask_denizen_keeps_its_files(tmp_path: Path) -> None:
    """A lock without rights could not be opened again: the store was lost with its first command."""
    for words in (["store", "add", "/etc/hostname"], ["store", "add", "/etc/passwd"]):
        done = without_capabilities(tmp_path, *words, umask=0o777)
        assert done.returncode == 0, done.stderr


def without_capabilities(root: Path, *words: str, umask: int) -> subprocess.CompletedProcess[str]:
    """Run denizen without root's capabilities, for which the modes of files mean nothing."""
    command = [sys.executable, "-m", "denizen", "--root", str(root / "r"), *words]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, umask=umask)


@pytest.mark.parametrize("umask", [0, 0o077])
def test_directories_are_made_with_the_same_modes_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    root = tmp_path / "r"
    for words in (
        ["store", "add", "/etc/hostname"],
        ["source", "add", "x", "http://localhost/", "--suite", "s"],
    ):
        assert not run(root, *words, umask=umask).returncode
    run(root, "run", "--hermetic", "--offline", "/bin/true", umask=umask)
    modes = {place: stat.S_IMODE(place.lstat().st_mode) for place in _directories(root)}
    assert [place for place, mode in modes.items() if mode & 0o022] == []
    assert [lock for lock in (root / "state/locks").iterdir() if lock.stat().st_mode & 0o022] == []
    assert modes[root / "data/store"] == 0o755
    assert modes[root / "state/locks"] == 0o700
    assert run(root, "store", "list").returncode == 0


def _directories(top: Path) -> Iterator[Path]:
    yield top
    yield from (place for place in top.rglob("*") if place.is_dir() and not place.is_symlink())


def test_a_store_that_was_moved_to_a_disk_that_is_not_mounted_is_not_made_anew(tmp_path: Path) -> None:
    make_directories(os.fsencode(tmp_path / "data"))
    (tmp_path / "data/store").symlink_to(tmp_path / "disk/store")
    with pytest.raises(StoreAway):
        found(tmp_path)
    done = run(tmp_path, "store", "add", "/etc/hostname")
    assert done.returncode == 125
    assert "not mounted" in done.stderr
    assert not (tmp_path / "disk").exists()
