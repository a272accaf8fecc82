"""Which programs get the library that brings libraries, and the one that brings commands: no others pay."""

import pytest

from denizen.elf.image import read
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.program_identity import Identity
from denizen.launch.resident_choice import executes, opens, with_answers
from denizen.linker import Closure, Environment, resolve
from tests.support.elf_builder import Elf, Symbol, build
from tests.support.linker_systems import library, program, system_of

_APP = b"/opt/app"
_LIBC = b"/lib64/libc.so.6"
_PLACE = b"/state/opened"
# glibc 2.35 is the first by which an auditing library slows down no call.
_AUDITED = build(Elf(soname=b"ld-linux-x86-64.so.2", version_definitions=(b"GLIBC_2.34", b"GLIBC_2.35")))
_OLDER = build(Elf(soname=b"ld-linux-x86-64.so.2", version_definitions=(b"GLIBC_2.34",)))


def _imports(*names: bytes) -> tuple[Symbol, ...]:
    return tuple(Symbol(name, defined=False) for name in (b"puts", *names))


def _closure(*, by_program: bytes = b"", by_library: bytes = b"", by_libc: bytes = b"") -> Closure:
    """Return a program with a library; each imports a function besides, if one is named."""
    files = {
        _APP: program(b"libplain.so.1", b"libc.so.6", symbols=_imports(*by_program.split())),
        b"/lib64/libplain.so.1": library(
            b"libplain.so.1", b"libc.so.6", symbols=_imports(*by_library.split())
        ),
        _LIBC: library(b"libc.so.6", symbols=_imports(*by_libc.split())),
    }
    return resolve(system_of(files), _APP, Environment(vdso=b""))


@pytest.mark.parametrize("name", [b"dlopen", b"dlmopen", b"__libc_dlopen_mode"])
def test_what_imports_an_opener_opens_and_only_that(name: bytes) -> None:
    assert opens(_closure(by_program=name))
    assert opens(_closure(by_library=name))
    # Of name services and converters, which the C library opens, no program need know.
    assert not opens(_closure(by_libc=name))
    assert not opens(_closure(by_program=b"dlsym dlclose dl_iterate_phdr execve"))


@pytest.mark.parametrize("name", [b"execve", b"execlp", b"posix_spawnp", b"system", b"popen", b"fexecve"])
def test_what_imports_an_executor_executes_and_only_that(name: bytes) -> None:
    assert executes(_closure(by_program=name))
    assert executes(_closure(by_library=name))
    assert not executes(_closure(by_libc=name))
    assert not executes(_closure(by_program=b"fork wait dlopen"))


@pytest.mark.parametrize(
    ("imported", "linker", "opened", "starts"),
    [
        (b"dlopen", _AUDITED, _PLACE, False),
        (b"dlopen execve", _AUDITED, _PLACE, True),
        (b"dlopen", _OLDER, b"", False),
        (b"execve", _AUDITED, b"", True),
        (b"", _AUDITED, b"", False),
    ],
)
def test_a_place_for_what_is_opened_is_made_for_who_opens_by_a_linker_that_takes_the_resident(
    imported: bytes, linker: bytes, opened: bytes, *, starts: bool
) -> None:
    made: list[bytes] = []

    def place() -> bytes:
        made.append(_PLACE)
        return _PLACE

    plain = Decision(Identity(1, 2, 3, 4, 5), bytes(16), 0, b"/ld.so", program=_APP)
    found = with_answers(plain, _closure(by_program=imported), read(linker), place)
    assert (found.opened, found.executes) == (opened, starts)
    assert made == ([_PLACE] if opened else [])
