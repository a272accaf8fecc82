"""What is said and kept of builders: logs, failures, limits."""

import os
from pathlib import Path

import pytest

from denizen.build.realise import RealiseOptions, SeveralFailed, realise
from denizen.build.runner.build_limits import BuildLimits
from denizen.build.runner.build_log import log_path, read_log
from denizen.build.runner.errors import BuilderNotStarted, BuildFailed
from tests.support.build_sandboxes import require_sandbox
from tests.support.denizen_command import denizen
from tests.support.nix_builds import SHOWN
from tests.support.shell_builders import Site, program


def log_of(site: Site, name: str) -> bytes:
    (log,) = Path(os.fsdecode(site.shop.store.layout.state)).glob(f"logs/*/*-{name}.drv.gz")
    return b"".join(read_log(os.fsencode(log)))


def test_a_failure_says_how_the_builder_ended_and_what_it_said_last(site: Site) -> None:
    sealed = site.derive(
        "bad", "echo first; printf '1/2\\r2/2 \\033[31mla\\007st\\033[0m\\033]0;x\\r\\n' >&2; exit 7"
    )
    with pytest.raises(BuildFailed, match="status 7") as caught:
        site.realise(sealed)
    assert "> first" in caught.value.why
    # As a terminal would have it at last; what is no colour is said, not done.
    assert "> 2/2 la\\x07st\\x1b]0;x\n" in caught.value.why + "\n"
    assert f"denizen log {sealed.path}" in caught.value.remedy
    assert site.shop.left_behind() == []


def test_a_signal_is_named(site: Site) -> None:
    # Not kill(2): the first process of a namespace gets from within only the signals that it handles.
    with pytest.raises(BuildFailed, match="SIGSEGV"):
        site.realise(site.derive("killed", "exec python3 -c 'import ctypes; ctypes.string_at(0)'"))


def test_the_log_is_kept_of_what_fails_and_of_what_does_not(site: Site) -> None:
    site.output("good", "echo well; echo x > $out")
    with pytest.raises(BuildFailed):
        site.realise(site.derive("bad", "seq 100000; exit 1"))
    assert log_of(site, "good") == b"well\n"
    assert log_of(site, "bad").endswith(b"\n99999\n100000\n")
    assert site.said.startswith(b"well\n1\n2\n")


def test_a_log_that_breaks_off_is_read_as_far_as_it_goes(site: Site) -> None:
    sealed = site.derive("talker", "seq 200000; echo x > $out")
    site.realise(sealed)
    path = Path(os.fsdecode(log_path(site.shop.store.layout, sealed.path)))
    path.write_bytes(path.read_bytes()[:-1000])
    assert b"".join(read_log(os.fsencode(path))).startswith(b"1\n2\n3\n")


def test_a_builder_that_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(BuilderNotStarted, match="no such file") as caught:
        site.realise(site.derive("shell", ":"), paths=())
    assert "--sandbox-path" in caught.value.remedy


@pytest.mark.parametrize(
    ("limits", "script", "reason"),
    [
        (BuildLimits(timeout=1), "while :; do echo x; sleep 0.1; done", "after 1 seconds"),
        (BuildLimits(max_silent_time=1), "echo x; sleep 1000", "after 1 seconds of silence"),
        (
            BuildLimits(max_log=100_000),
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
            "more than 100000 bytes",
        ),
    ],
)
def test_limits_end_a_builder_with_all_it_started(
    site: Site, limits: BuildLimits, script: str, reason: str
) -> None:
    with pytest.raises(BuildFailed, match=reason):
        site.realise(site.derive("endless", f"(setsid sleep 1000 &); {script}"), limits=limits)
    assert site.shop.left_behind() == []


def test_a_failed_build_can_be_kept(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(BuildFailed) as caught:
        site.realise(site.derive("bad", "echo 1 > file; exit 1"), keep_failed=os.fsencode(kept))
    assert (Path(os.fsdecode(caught.value.kept)) / "build/file").read_text() == "1\n"


def test_what_does_not_depend_on_a_failure_is_built_if_wished(site: Site) -> None:
    bad = site.derive("bad", "sleep 0.2; exit 1")
    worse = site.derive("worse", "exit 2")
    inputs = {bad.path.inside(site.shop.store_dir): (b"out",)}
    above = site.shop.derive("above", program("echo x > $out", inputs=inputs))
    good = site.derive("good", "sleep 0.4; echo x > $out")
    options = RealiseOptions(site.shop.opener, 2, ordinary=site.settings(), keep_going=True)
    with pytest.raises(SeveralFailed) as caught:
        realise(site.shop.store, [above.path, good.path, worse.path], options)
    assert sorted(one.why.splitlines()[0] for one in caught.value.failures) == [
        "its builder ended with status 1",
        "its builder ended with status 2",
    ]
    assert site.shop.store.is_valid(good.outputs[b"out"])
    assert not site.shop.store.is_valid(above.outputs[b"out"])
    assert site.shop.left_behind() == []


def test_the_command_builds_prints_and_keeps_what_was_said(tmp_path: Path) -> None:
    require_sandbox()
    root = tmp_path / "root"
    shop = Site(root / "data").shop
    sealed = shop.derive("told", program("echo 'one\ntwo'; echo x > $out"))
    paths = [f"--sandbox-path={target}={source}" for target, source in SHOWN.items()]
    drv = os.fsdecode(shop.store.place_of(sealed.path))
    done = denizen(root, "realise", "-L", *paths, drv)
    assert done.stdout.decode().splitlines() == [str(shop.place(sealed))]
    assert done.stderr == b"building told\ntold> one\ntold> two\n"
    # The second time by the quick answer, which runs nothing.
    assert denizen(root, "realise", "-L", drv).stderr == b""
    assert denizen(root, "log", drv).stdout == b"one\ntwo\n"
    assert denizen(root, "log", shop.place(sealed)).stdout == b"one\ntwo\n"
    assert (
        b"there is no log" in denizen(root, "log", shop.derive("x", program("")).path.base, status=125).stderr
    )
