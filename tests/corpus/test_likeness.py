"""With denizen in front nothing starts worse than without: a part of what `make corpus` compares.

What the host satisfies needs no archive, so this part needs none.
"""

from pathlib import Path

import pytest

from tests.corpus.likeness import Difference, compare, compare_system_program, system_programs
from tests.support.hosts import Host, HostDirectories, Outcome, as_it_is, read_only_root

pytestmark = [pytest.mark.slow, pytest.mark.peer]

# Some seconds; tools/likeness.py asks 200.
PART = 16


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> HostDirectories:
    top = tmp_path_factory.mktemp("likeness")
    made = HostDirectories(top / "root", top / "programs", top / "work")
    for room in (made.root, made.programs, made.work):
        room.mkdir()
    return made


@pytest.fixture(scope="module")
def host(directories: HostDirectories) -> Host:
    return read_only_root(directories)


@pytest.mark.parametrize("path", system_programs(PART), ids=lambda path: path.name)
def test_a_program_of_the_system_does_what_it_does_natively(path: Path, host: Host) -> None:
    found = compare_system_program(path, host)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("natively", "under", "what"),
    [
        ((0, b"v 1\n", b""), (0, b"v 1\n", b""), []),
        ((0, b"process 4711 of 12\n", b""), (0, b"process 9 of 13\n", b""), []),
        ((0, b"v 1\n", b""), (1, b"v 1\n", b""), ["status", "status"]),
        ((0, b"works\n", b""), (0, b"fails\n", b""), ["stdout", "stdout"]),
        ((0, b"works\n", b""), (0, b"works\n", b"denizen: decided\n"), ["stderr"]),
        ((None, b"", b""), (1, b"", b""), []),
    ],
)
def test_what_counts_as_a_difference(
    natively: tuple[int | None, bytes, bytes],
    under: tuple[int | None, bytes, bytes],
    what: list[str],
    directories: HostDirectories,
) -> None:
    def start(words: object, timeout: float) -> Outcome:
        status, out, err = natively if words == ["program"] else under
        return Outcome(status, out, err, timeout, 0)

    found: list[Difference] = compare("program", as_it_is(directories), ["program"], start)
    assert [one.what for one in found] == what
