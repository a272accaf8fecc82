import errno
import os
from pathlib import Path

import pytest

from denizen.system.target_root import TargetRoot


@pytest.fixture
def root(tmp_path: Path) -> TargetRoot:
    (tmp_path / "target" / "etc").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return TargetRoot(os.fsencode(tmp_path / "target"))


def test_a_link_in_the_way_is_not_followed(root: TargetRoot, tmp_path: Path) -> None:
    (tmp_path / "target" / "etc" / "away").symlink_to(tmp_path / "outside")
    (tmp_path / "target" / "etc" / "file").symlink_to(tmp_path / "outside" / "secret")
    attempts = (
        lambda: root.write(b"etc/away/new", b"", 0o644),
        lambda: root.link(b"etc/away/new", b"x"),
        lambda: root.make_directory(b"etc/away/new"),
        lambda: root.remove(b"etc/away/secret"),
        lambda: root.hard_link(b"etc/away/secret", b"etc/stolen"),
        lambda: root.read(b"etc/away/secret", 9),
        lambda: root.read(b"etc/file", 9),
    )
    for attempt in attempts:
        with pytest.raises(OSError) as failure:  # noqa: PT011  # which one is asserted below
            attempt()
        assert failure.value.errno in (errno.ELOOP, errno.ENOTDIR)
    root.remove_tree(b"etc")
    assert os.listdir(tmp_path / "outside") == ["secret"]


def test_links_that_are_followed_stay_below_the_root(root: TargetRoot, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "run").mkdir()
    (target / "var").symlink_to("/../../run")
    root.ensure_directory(b"var/lib/app", 0o750, None)
    assert (target / "run" / "lib" / "app").stat().st_mode & 0o777 == 0o750
    (target / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="symbolic links"):
        root.ensure_directory(b"circle/x", 0o755, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's link")
def test_another_users_link_does_not_choose_whose_owner_is_set(root: TargetRoot, tmp_path: Path) -> None:
    home = tmp_path / "target" / "home"
    home.mkdir()
    (home / "trap").symlink_to("/etc")
    os.chown(home / "trap", 1000, 1000, follow_symlinks=False)
    with pytest.raises(OSError, match="another user's link"):
        root.ensure_directory(b"home/trap", 0o777, (1000, 1000))
    assert (tmp_path / "target" / "etc").stat().st_uid == 0


def test_a_file_is_replaced_with_its_mode(root: TargetRoot, tmp_path: Path) -> None:
    place = tmp_path / "target" / "etc" / "x"
    place.symlink_to(tmp_path / "outside" / "secret")
    root.write(b"etc/x", b"new", 0o4750)
    assert not place.is_symlink()
    assert place.stat().st_mode & 0o7777 == 0o4750
    assert (tmp_path / "outside" / "secret").read_text() == "secret"


def test_memory_is_taken_for_the_file_and_not_for_its_limit(root: TargetRoot, tmp_path: Path) -> None:
    (tmp_path / "target/etc/kernel").write_bytes(b"kernel")
    assert root.read(b"etc/kernel", 1 << 62) == b"kernel"
    assert root.read(b"etc/kernel", 3) == b"ker"
