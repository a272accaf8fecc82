import posixpath

from denizen.fileview import Executable, MemoryView
from denizen.linker import Closure, Environment, bind, resolve
from denizen.linker.unvouched_objects import unvouched_objects
from tests.support.elf_builder import Elf, Symbol, build
from tests.support.glibc_systems import SYSTEM, program

PROGRAM = b"/opt/app/bin/program"
LOST = Symbol(b"lost", defined=False)
A = build(Elf(soname=b"liba.so.1", needed=(b"libb.so.1",), symbols=(LOST,), relocated=(b"lost",)))
B = build(Elf(soname=b"libb.so.1"))
C = build(Elf(soname=b"libc1.so.1", symbols=(LOST,), relocated=(b"lost",)))


def closure_of(libb: bytes, library_path: bytes | None) -> Closure:
    files = {b"/lib/liba.so.1": A, b"/lib/libc1.so.1": C, b"/usr/lib/app/other": B, libb: B}
    content = program(b"liba.so.1", b"libc1.so.1", symbols=())
    view = MemoryView({**SYSTEM, **files, PROGRAM: Executable(content)})
    return resolve(view, PROGRAM, Environment(library_path=library_path))


SYSTEM_ONLY = closure_of(b"/lib/libb.so.1", None)
BUNDLED = closure_of(b"/opt/app/lib/libb.so.1", b"/opt/app/lib")


def test_the_systems_own_libraries_are_vouched_for_and_the_program_is_not() -> None:
    assert [library.soname for library in unvouched_objects(SYSTEM_ONLY)] == [PROGRAM]


def test_a_system_library_that_stands_on_a_bundled_one_is_not_vouched_for() -> None:
    found = {library.soname for library in unvouched_objects(BUNDLED)}
    assert found == {PROGRAM, b"libb.so.1", b"liba.so.1"}


def test_only_the_objects_named_are_asked_for_their_symbols() -> None:
    lacking = bind(BUNDLED, unvouched_objects(BUNDLED)).unresolved
    assert [lack.needed_by for lack in lacking] == [b"/lib/liba.so.1"]
    assert {lack.needed_by for lack in bind(BUNDLED).unresolved} == {b"/lib/liba.so.1", b"/lib/libc1.so.1"}


def test_what_lies_where_only_packages_put_anything_is_vouched_for_however_it_was_found() -> None:
    private, local = b"/usr/lib/app", b"/usr/local/lib/app"
    assert foreign_with(private) == {PROGRAM}
    assert foreign_with(local) == {PROGRAM, b"libb.so.1", b"liba.so.1"}
    assert foreign_with(private + b"/../../../opt/app/lib") == {PROGRAM, b"libb.so.1", b"liba.so.1"}


def foreign_with(directory: bytes) -> set[bytes]:
    place = posixpath.normpath(directory)
    return {library.soname for library in unvouched_objects(closure_of(place + b"/libb.so.1", directory))}


def test_a_program_among_the_systems_files_is_not_vouched_for_by_its_place() -> None:
    path = b"/usr/lib/app/bin/program"
    view = MemoryView({**SYSTEM, path: Executable(program(symbols=()))})
    assert [one.soname for one in unvouched_objects(resolve(view, path, Environment()))] == [path]
