"""A library of the host's GPU driver, for programs that get their other libraries from packages."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.linker.ldcache import CacheEntry, open_cache
from denizen.linker.ldcache_writer import write_cache
from denizen.machines import by_kernel
from tests.support.offline_roots import DenizenHome
from tests.support.opening_programs import ABSENT
from tests.support.peers import require

pytestmark = pytest.mark.slow

_OPENS = """
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
const char *greeting(void);
int main(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW);
    const char *(*version)(void) = driver ? (const char *(*)(void))dlsym(driver, "version") : 0;
    puts(greeting());
    puts(version ? version() : dlerror());
    puts(getenv("LD_LIBRARY_PATH") ? "leaked" : "clean");
    return 0;
}
"""
_LINKED = """
#include <stdio.h>
const char *greeting(void), *version(void);
int main(void) { puts(greeting()), puts(version()); return 0; }
"""


class _Host:
    """This machine with a driver in a directory that its ld.so.cache names."""

    def __init__(self, directory: Path) -> None:
        require("bwrap")
        self.home = DenizenHome(directory)
        self._directory = directory
        self._cache = directory / "ld.so.cache"
        self._own = tuple(open_cache(Path("/etc/ld.so.cache").read_bytes()).entries())
        self.have(None)

    def driver(self, version: str) -> Path:
        """A driver's library, at a path of this version."""
        place = self._directory / f"driver-{version}" / "libcuda.so.1"
        place.parent.mkdir(exist_ok=True)
        source = f'const char *version(void) {{ return "driver {version}"; }}\n'
        # A new file: the old one may be mapped.
        place.unlink(missing_ok=True)
        words = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-x", "c", "-", "-o", str(place)]
        subprocess.run(words, input=source.encode(), check=True)
        return place

    def have(self, driver: Path | None) -> None:
        """Let the cache name the driver; None for none."""
        machine = by_kernel(os.uname().machine)
        assert machine is not None
        entries = [CacheEntry(b"libcuda.so.1", os.fsencode(driver), machine.cache_flags)] if driver else []
        self._cache.write_bytes(write_cache([*self._own, *entries]))

    def run(self, *words: str | Path, status: int = 0) -> tuple[list[str], str]:
        """The lines that a program prints, started by `denizen run`, and what was said."""
        host = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", os.fspath(self._cache), "/etc/ld.so.cache"]
        command = [*host, *self.home.command("run", *map(str, words))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == status, done.stderr
        return done.stdout.splitlines(), done.stderr


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> _Host:
    return _Host(tmp_path_factory.mktemp("drivers"))


@pytest.mark.parametrize("options", [(), *(("--strategy", one) for one in ("namespace", "stub", "direct"))])
def test_a_program_opens_the_hosts_driver_and_after_an_update_the_new_one(
    host: _Host, options: Sequence[str]
) -> None:
    program = host.home.compile(f"opens{'-'.join(options)}", f"{_OPENS}int by_{len(''.join(options))};")
    driver = host.driver("1")
    host.have(driver)
    for _ in range(2):
        assert host.run(*options, program)[0] == ["hello from the store", "driver 1", "clean"]
    host.driver("2").rename(driver)
    assert host.run(*options, program)[0] == ["hello from the store", "driver 2", "clean"]


def test_a_host_without_the_driver_has_none(host: _Host) -> None:
    host.have(None)
    program = host.home.compile("opens-nothing", f"{_OPENS}int opens_nothing;")
    assert host.run(program)[0] == ["hello from the store", f"libcuda.so.1: {ABSENT}", "clean"]


def test_a_program_that_is_linked_with_it_gets_the_hosts_or_is_told_why_not(host: _Host) -> None:
    first, second = host.driver("3"), host.driver("4")
    program = host.home.compile("linked", _LINKED, os.fspath(first))
    host.have(None)
    said = host.run(program, status=126)[1]
    assert "needs libcuda.so.1 of this host" in said
    assert "kernel driver" in said
    host.have(first)
    for _ in range(2):
        assert host.run(program)[0] == ["hello from the store", "driver 3"]
    # Where the next driver lies elsewhere, the program is decided about anew.
    first.unlink()
    host.have(second)
    assert host.run(program)[0] == ["hello from the store", "driver 4"]
