"""Builds on hosts that lack something: in a sandbox without root, or refused with the way out."""

import os

import pytest

from denizen.build.derivation import seal
from denizen.formats.aterm import Derivation, DerivationOutput
from tests.support.hosts import HOSTS, HostDirectories
from tests.support.python_prefix import PREFIX

pytestmark = [pytest.mark.peer, pytest.mark.slow]
SCRIPT = "import os; open(os.environ['out'], 'w').write(f'{os.getuid()} {os.getpid()}')"
STORE = "data/store"


def derivation(directories: HostDirectories, store_dir: bytes) -> str:
    """Write the file of a derivation whose builder is the host's Python; return its name."""
    system = os.uname().machine.encode() + b"-linux"
    outputs = {b"out": DerivationOutput(b"")}
    recipe = Derivation(
        outputs,
        {},
        (),
        system,
        f"{PREFIX}/bin/python3".encode(),
        (b"-c", SCRIPT.encode()),
        {b"PYTHONHOME": PREFIX.encode()},
    )
    sealed = seal(recipe, "identity", {}, store_dir)
    (directories.work / sealed.path.base).write_bytes(sealed.content)
    return sealed.path.base


def test_a_sandbox_needs_no_root(directories: HostDirectories) -> None:
    host = HOSTS["another uid"](directories)
    file = derivation(directories, os.fsencode(host.directories.root / STORE))
    words = [f"--sandbox-path={PREFIX}", str(host.directories.work / file)]
    outcome = host.run(host.denizen("realise", *words))
    assert outcome.status == 0, outcome.err
    (made,) = (directories.root / STORE).glob("[0-9a-z]*-identity")
    assert made.read_text() == "1000 1"


# The last one has a /proc with parts covered, as containers have: the kernel then allows no other /proc.
@pytest.mark.parametrize("name", ["no user namespaces", "container", "no network"])
def test_without_namespaces_a_build_is_refused_or_made_as_wished(
    name: str, directories: HostDirectories
) -> None:
    host = HOSTS[name](directories)
    file = derivation(directories, os.fsencode(host.directories.root / STORE))
    words = [f"--sandbox-path={PREFIX}", str(host.directories.work / file)]
    outcome = host.run(host.denizen("realise", *words))
    assert outcome.status == 125
    assert "no sandbox can be made to build 'identity'" in outcome.err
    assert "--no-sandbox" in outcome.err
    outcome = host.run(host.denizen("realise", "--no-sandbox", *words))
    assert outcome.status == 0, outcome.err
