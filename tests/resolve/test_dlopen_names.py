"""What is opened at run time: by the program's notes, by rule packs, by strings."""

import json

import pytest

from denizen import elf
from denizen.elf.constants import PT_LOAD
from denizen.resolve.dlopen_names import strings
from denizen.resolve.resolution import DlopenName, Resolution
from tests.support.elf_builder import Elf, Note, Symbol, build
from tests.support.memory_archive import (
    DIRECTORY,
    INTERPRETER,
    PROGRAM,
    PackageArchive,
    chosen,
    libc,
    library,
    program,
)

# https://systemd.io/ELF_DLOPEN_METADATA
FDO, DLOPEN = b"FDO", 0x407C0C0A


def note(priority: str, *sonames: str) -> Note:
    content = json.dumps([{"soname": list(sonames) or ["liba.so.1"], "priority": priority}]).encode() + b"\0"
    return Note(FDO, DLOPEN, content)


def noted(priority: str, *sonames: str) -> bytes:
    return build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), notes=(note(priority, *sonames),)))


def linked(made: Resolution) -> list[bytes]:
    """The names chosen, without the C library's companions, which always come along."""
    return [choice.soname for choice in made.choices if choice.wish != "companion"]


def package_archive(*sonames: bytes) -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc())
    for soname in sonames:
        made.add("new", soname.partition(b".")[0], {DIRECTORY + soname: library(soname, b"libc.so.6")})
    return made


def test_what_a_note_recommends_is_chosen_and_says_where_it_is_known_from() -> None:
    made = package_archive(b"liba.so.1").resolve({PROGRAM: noted("recommended")})
    assert chosen(made, b"liba.so.1").wish == "note"


def test_what_a_note_suggests_stays_a_wish() -> None:
    made = package_archive(b"liba.so.1").resolve({PROGRAM: noted("suggested")})
    assert made.wishes == (DlopenName((b"liba.so.1",), "note", "suggested"),)
    assert linked(made) == [b"libc.so.6"]


def test_what_is_required_and_nobody_has_stays_open_and_what_is_recommended_does_not() -> None:
    assert not package_archive().resolve({PROGRAM: noted("required")}).is_complete
    made = package_archive().resolve({PROGRAM: noted("recommended")})
    assert made.is_complete
    assert made.wishes == (DlopenName((b"liba.so.1",), "note", "recommended"),)


def test_of_a_notes_alternatives_the_first_that_somebody_has_is_chosen() -> None:
    made = package_archive(b"libb.so.1", b"libc.so.1").resolve(
        {PROGRAM: noted("required", "liba.so.1", "libb.so.1", "libc.so.1")}
    )
    assert made.is_complete
    assert [choice.soname for choice in made.choices if choice.wish not in ("", "companion")] == [
        b"libb.so.1"
    ]


def test_the_notes_of_chosen_libraries_count_as_the_programs_own() -> None:
    archive = package_archive(b"liba.so.1")
    archive.add("new", b"libn1", {DIRECTORY + b"libn.so.1": library(b"libn.so.1", notes=(note("required"),))})
    made = archive.resolve({PROGRAM: program(b"libn.so.1")})
    assert chosen(made, b"liba.so.1").wish == "note"


def test_a_plugin_beside_the_program_is_resolved_with_it_where_a_pack_says_it_is_opened() -> None:
    files = {
        PROGRAM: program(b"libQt6Gui.so.6", runpath=b"$ORIGIN/../lib"),
        b"/opt/app/lib/libQt6Gui.so.6": library(b"libQt6Gui.so.6"),
        b"/opt/app/plugins/platforms/libqxcb.so": library(b"libqxcb.so", b"libxcb-cursor.so.0"),
        b"/opt/app/plugins/other/libother.so": library(b"libother.so", b"libodd.so.1"),
    }
    made = package_archive(b"libxcb-cursor.so.0", b"libodd.so.1").resolve(files)
    assert chosen(made, b"libxcb-cursor.so.0").needed_by == b"../plugins/platforms/libqxcb.so"
    assert b"libodd.so.1" not in linked(made)
    assert (
        package_archive().resolve(files).is_complete
    )  # without it a window cannot be opened, and all else can


@pytest.mark.parametrize(
    ("mark", "module"),
    [
        (b"Py_BytesMain", b"lib/python3.12/lib-dynload/module.so"),
        (b"Py_Initialize", b"lib/python3.12/lib-dynload/module.so"),
        (b"napi_create_function", b"node_modules/addon/addon.node"),
    ],
)
@pytest.mark.parametrize("defined", [True, False])
def test_an_interpreter_is_known_by_what_it_is_and_not_by_its_name(
    mark: bytes, module: bytes, *, defined: bool
) -> None:
    """One that embeds the language uses what the language's own defines."""
    own = Elf(
        interpreter=INTERPRETER,
        needed=(b"libc.so.6",),
        symbols=(Symbol(mark, defined=defined),),
        relocated=(mark,),
    )
    beside = {b"/opt/app/" + module: library(b"module.so", b"libodd.so.1")}
    for name in (b"anything", b"python3", b"node"):
        path = b"/opt/app/bin/" + name
        made = package_archive(b"libodd.so.1").resolve({path: build(own), **beside}, [path])
        assert b"libodd.so.1" in linked(made)
        made = package_archive(b"libodd.so.1").resolve({path: program(), **beside}, [path])
        assert b"libodd.so.1" not in linked(made)


def test_an_older_dotnet_gets_an_icu_it_knows() -> None:
    module = b"/opt/app/bin/shared/Microsoft.NETCore.App/3.1.23/System.Globalization.Native.so"
    files = {PROGRAM: program(), module: library(b"System.Globalization.Native.so")}
    archive = package_archive(b"libicui18n.so.72")
    archive.add("new", b"libicu67", {DIRECTORY + b"libicui18n.so.67": library(b"libicui18n.so.67")})
    made = archive.resolve(files)
    assert [choice.soname for choice in made.choices if choice.wish not in ("", "companion")] == [
        b"libicui18n.so.67"
    ]


def test_a_pack_applies_where_its_library_is_in_the_closure() -> None:
    sonames = (b"libnss3.so", b"libsoftokn3.so", b"libfreebl3.so", b"libfreeblpriv3.so", b"libnssckbi.so")
    made = package_archive(*sonames).resolve({PROGRAM: program(b"libnss3.so")})
    assert made.is_complete
    assert chosen(made, b"libsoftokn3.so").wish == "nss"


def test_strings_that_are_sonames_somebody_has_are_told_once_in_order() -> None:
    content = (
        b"\0libb.so.1\0text liba.so.2 text\0/usr/lib/liba.so.2\0libb.so.1\0libnone.so.1\0liba.so.2.gz\0x.so"
    )
    image = elf.read(build(Elf(segments=((PT_LOAD, content),))))
    assert list(strings(image, {b"liba.so.2", b"libb.so.1"}.__contains__)) == [b"libb.so.1", b"liba.so.2"]


def test_a_string_of_the_program_is_a_suggestion() -> None:
    constants = ((PT_LOAD, b"\0liba.so.1\0libc.so.6\0"),)
    content = build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), segments=constants))
    made = package_archive(b"liba.so.1").resolve({PROGRAM: content})
    assert made.wishes == (DlopenName((b"liba.so.1",), "strings", "suggested"),)
