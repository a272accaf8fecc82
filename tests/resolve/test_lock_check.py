"""A resolution made before is followed for the program it was made for, and for no other."""

import pytest

from denizen.fileview import Executable, MemoryView
from denizen.resolve.lock_check import ForeignLock, must_apply
from denizen.resolve.resolution import Resolution
from denizen.resolve.rule_packs import load_rules
from tests.support.elf_builder import Elf, build
from tests.support.memory_archive import DIRECTORY, PROGRAM, PackageArchive, libc, library, program

NEEDS = program(b"liba.so.1", b"libb.so.1")
BESIDE = {b"/opt/app/lib/libb.so.1": library(b"libb.so.1")}


@pytest.fixture
def made() -> Resolution:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc(b"GLIBC_2.36"))
    package_archive.add("new", b"liba1", {DIRECTORY + b"liba.so.1": library(b"liba.so.1", b"libc.so.6")})
    return package_archive.resolve({PROGRAM: NEEDS, **BESIDE})


def held_to(resolution: Resolution, content: bytes, beside: dict[bytes, bytes] = BESIDE) -> None:
    view = MemoryView({PROGRAM: Executable(content), **beside})
    must_apply(resolution, view, PROGRAM, load_rules())


def test_it_applies_to_the_program_it_was_made_for(made: Resolution) -> None:
    held_to(made, NEEDS)


def test_a_build_that_needs_less_is_served(made: Resolution) -> None:
    held_to(made, program(b"liba.so.1"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (program(b"liba.so.1", b"libz.so.1"), "libz.so.1"),
        (program(asks=[(b"x", b"GLIBC_2.99", b"libc.so.6")]), "GLIBC_2.99"),
        (program(interpreter=b"/lib/ld-musl-x86_64.so.1"), "ld-musl"),
    ],
)
def test_another_program_is_refused_with_what_does_not_fit(
    made: Resolution, content: bytes, reason: str
) -> None:
    with pytest.raises(ForeignLock) as refused:
        held_to(made, content)
    assert reason in refused.value.why


def test_a_program_moved_away_from_its_libraries_is_refused(made: Resolution) -> None:
    with pytest.raises(ForeignLock, match="not for"):
        held_to(made, program(b"liba.so.1"), {})


def test_a_static_program_needs_nothing_of_it(made: Resolution) -> None:
    held_to(made, build(Elf(dynamic=False)))


def test_a_lock_for_another_machine_is_refused() -> None:
    with pytest.raises(ForeignLock, match="not for"):
        held_to(Resolution("arm64"), NEEDS)
