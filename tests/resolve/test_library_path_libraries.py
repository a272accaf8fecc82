"""Libraries in a packer's directory, to which the run path of a library beside the program alone leads."""

import pytest

from denizen.resolve.resolution import Resolution
from tests.support.memory_archive import PROGRAM, PackageArchive, chosen, libc, library, open_for, program

BESIDE = b"/opt/app/lib/libdb.so.1"
PACKED = b"libxml2-a0a916ee.so.2"


def resolved(runpath: bytes | None, place: bytes) -> Resolution:
    archive = PackageArchive()
    archive.add("new", b"libc6", libc())
    files = {
        PROGRAM: program(b"libdb.so.1"),
        BESIDE: library(b"libdb.so.1", PACKED, b"libc.so.6", runpath=runpath),
        place + PACKED: library(PACKED, b"libc.so.6"),
    }
    return archive.resolve(files)


@pytest.mark.parametrize("runpath", [b"$ORIGIN/../app.libs", b"/nowhere:${ORIGIN}/../app.libs"])
def test_the_run_path_of_a_library_beside_the_program_is_followed(runpath: bytes) -> None:
    made = resolved(runpath, b"/opt/app/app.libs/")
    assert made.is_complete
    assert chosen(made, PACKED).path == b"../app.libs/" + PACKED


@pytest.mark.parametrize(
    ("runpath", "place"),
    [(None, b"/opt/app/app.libs/"), (b"/usr/lib", b"/usr/lib/"), (b"$ORIGIN/..", b"/x/")],
)
def test_no_other_directory_is_looked_into(runpath: bytes | None, place: bytes) -> None:
    """The host's own directories neither."""
    assert open_for(resolved(runpath, place), PACKED).subject == PACKED
