"""Ways out of a builder's sandbox: each is tried from within, and none succeeds (tests/data/escapes.py)."""

import ctypes
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.build.runner.build_settings import SandboxPath
from tests.support.build_sandboxes import require_sandbox
from tests.support.nix_builds import settings
from tests.support.shell_builders import Site

SCRIPT = Path(__file__).parents[2] / "data/escapes.py"
ATTEMPTS = re.findall(r"^@attempt\ndef (\w+)", SCRIPT.read_text(), re.MULTILINE)
# What Nix's filter answers.
ANSWERS = {
    "set_user_id_by_chmod": "EPERM",
    "set_user_id_by_fchmod": "EPERM",
    "set_user_id_by_fchmodat": "EPERM",
    "set_an_extended_attribute": "ENOTSUP",
    "set_an_extended_attribute_by_descriptor": "ENOTSUP",
    "set_an_extended_attribute_of_a_link": "ENOTSUP",
}
SHARED_KEY = 0x64656E69
LIBC = ctypes.CDLL(None)


class Outside:
    """What the attempts aim at."""

    def __init__(self, directory: Path) -> None:
        self.site = Site(directory)
        self.secret = directory / "secret"
        self.secret.write_text("secret")
        self.process = subprocess.Popen(["sleep", "1000"])
        self.server = socket.create_server(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0denizen-test-{os.getpid()}")
        self.abstract.listen()
        self.posix = Path(f"/dev/shm/denizen-test-{os.getpid()}")
        self.posix.write_text("shared")
        self.shared = LIBC.shmget(SHARED_KEY, 4096, 0o1600)
        self.setuid = directory / "id"
        self.setuid.write_bytes(Path("/usr/bin/id").read_bytes())
        self.setuid.chmod(0o6755)

    def facts(self, used: Path, other: Path) -> str:
        return json.dumps(
            {
                "input": str(used),
                "other": str(other),
                "secret": str(self.secret),
                "home": str(self.secret.parent),
                "store": os.fsdecode(self.site.shop.store_dir),
                "process": self.process.pid,
                "port": self.server.getsockname()[1],
                "abstract": f"denizen-test-{os.getpid()}",
                "shared": SHARED_KEY,
                "posix": self.posix.name,
                "key": "denizen-test",
                "setuid": "/setuid/id",
            }
        )

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.server.close()
        self.abstract.close()
        self.posix.unlink()
        LIBC.shmctl(self.shared, 0, None)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    require_sandbox()
    made = Outside(tmp_path_factory.mktemp("escapes"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def used(outside: Outside) -> Path:
    """An object that is an input of the build."""
    return outside.site.output("used", "mkdir $out; echo original > $out/file")


@pytest.fixture(scope="module")
def results(outside: Outside, used: Path) -> dict[str, tuple[str, str]]:
    """What came of each attempt."""
    other = outside.site.output("other", "echo other > $out")
    shown = (
        *settings().paths,
        SandboxPath(os.fsencode(sys.base_prefix), os.fsencode(sys.base_prefix)),
        SandboxPath(b"/escapes.py", os.fsencode(SCRIPT)),
        SandboxPath(b"/setuid", os.fsencode(outside.setuid.parent / "id").rsplit(b"/", 1)[0] + b"/shown"),
    )
    (outside.setuid.parent / "shown").mkdir()
    outside.setuid.rename(outside.setuid.parent / "shown/id")
    python = os.path.realpath(sys.executable)
    variables = {
        "facts": outside.facts(used, other),
        "passAsFile": "facts",
        "used": str(used),
        "PYTHON": python,
    }
    out = outside.site.built_with(
        "escapes", '"$PYTHON" /escapes.py "$factsPath" $out', variables, used, paths=shown
    )
    found: dict[str, tuple[str, str]] = json.loads(out.read_text())
    return found


def test_there_are_attempts_enough() -> None:
    assert len(ATTEMPTS) >= 30


@pytest.mark.parametrize("name", ATTEMPTS)
def test_no_way_leads_out(results: dict[str, tuple[str, str]], name: str) -> None:
    outcome, detail = results[name]
    assert outcome == "refused", detail
    if name in ANSWERS:
        assert detail == ANSWERS[name]


def test_nothing_outside_has_changed(
    outside: Outside, used: Path, results: dict[str, tuple[str, str]]
) -> None:
    assert results
    assert outside.process.poll() is None
    assert (used / "file").read_text() == "original\n"
    assert sorted(path.name for path in used.iterdir()) == ["file"]
    assert outside.secret.read_text() == "secret"
    assert not Path("/usr/denizen-escaped").exists()
    assert outside.site.shop.left_behind() == []


def test_links_in_an_output_are_not_followed(outside: Outside, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    victim.chmod(0o640)
    before = victim.stat()
    script = "mkdir $out $out/d; ln -s $victim $out/link; ln -s $top $out/d/top; ln -s / /build/root"
    outside.site.output("links", script, {"victim": str(victim), "top": str(tmp_path)})
    assert victim.stat() == before


def test_a_process_that_stays_writes_nothing_more(outside: Outside) -> None:
    script = "(trap '' TERM HUP; while :; do echo late >> $out; done) & sleep 0.1; echo done >> $out"
    out = outside.site.output("late", script)
    size = out.stat().st_size
    info = outside.site.shop.store.path_at(os.fsencode(out))
    assert outside.site.shop.store.info(info).nar_size > size
    assert out.stat().st_mode & 0o222 == 0
    assert out.stat().st_size == size
