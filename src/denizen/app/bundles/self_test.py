"""A bundle's self-test: its dynamic linker loads everything, in a root that has nothing but the bundle.

glibc's ld.so ends before the program's first instruction where LD_TRACE_LOADED_OBJECTS is set (ld.so(8)), so
nothing of the program is executed. musl's has no such mode: of its programs the files alone are compared.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

from denizen.app.bundles.errors import NotBundled
from denizen.app.session import tools_of
from denizen.launch.namespace_probe import obstacle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session

_TIMEOUT = 120
_TRACE = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_BIND_NOW": "1", "LD_WARN": "1"}


def self_test(session: Session, bundle: bytes) -> str:
    """Return how the bundle was tested, in words. Raises NotBundled: its libraries cannot all be loaded.

    `bundle` is the file of a bundle, or the launcher in its directory.
    """
    with tempfile.TemporaryDirectory(prefix="denizen-bundle-") as directory:
        stage = os.path.join(os.fsencode(directory), b"root")
        os.mkdir(stage)
        enter = tools_of(session).enter()
        words = _empty_root(stage, bundle)
        if obstacle(enter, words):
            cache = {"XDG_CACHE_HOME": directory}
            _judge(bundle, _run([bundle], {**_TRACE, **cache}))
            return "its libraries are loaded (this host allows no empty root to try it in)"
        name = b"/bundle/" + os.path.basename(bundle)
        _judge(bundle, _run([enter, *words, b"--", name], {**_TRACE, "XDG_CACHE_HOME": "/cache"}))
    return "its libraries are loaded in an empty root"


def _empty_root(stage: bytes, bundle: bytes) -> tuple[bytes, ...]:
    """Return the operations of denizen-enter after which / has the bundle and an empty directory."""
    beside = os.path.join(os.path.dirname(bundle), b"bundle")
    place = os.path.join(stage, b"bundle")
    words = [b"private", b"tmpfs", stage, b"dir", os.path.join(stage, b"cache"), b"dir", place]
    target = os.path.join(place, os.path.basename(bundle))
    words += [b"file", target, b"bind", bundle, target]
    if os.path.isfile(os.path.join(beside, b"decision")):
        inside = os.path.join(place, b"bundle")
        words += [b"dir", inside, b"bind", beside, inside]
    return (*words, b"root", stage)


def _run(command: list[bytes], environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
    )


def _judge(bundle: bytes, done: subprocess.CompletedProcess[bytes]) -> None:
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    wrong = [line.strip() for line in said.splitlines() if "not found" in line or line.startswith("denizen:")]
    if done.returncode or wrong:
        reason = wrong[0] if wrong else said.strip() or f"its dynamic linker ends with {done.returncode}"
        raise NotBundled(bundle, f"it was made and does not start: {reason}")


def remove_quietly(path: bytes) -> None:
    """Remove what was made and is of no use."""
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)
