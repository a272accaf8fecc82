"""What is opened at run time: by the program's notes, by rule packs, by strings."""

import json

from denizen import elf
from denizen.elf.constants import PT_LOAD
from denizen.resolve.resolution import Wish
from denizen.resolve.wishes import strings
from tests.support.elfbuilder import Elf, Note, build
from tests.support.market import DIRECTORY, INTERPRETER, PROGRAM, Market, chosen, libc, library, program

# https://systemd.io/ELF_DLOPEN_METADATA
FDO, DLOPEN = b"FDO", 0x407C0C0A


def noted(priority: str) -> bytes:
    content = json.dumps([{"soname": ["liba.so.1"], "priority": priority}]).encode() + b"\0"
    return build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), notes=(Note(FDO, DLOPEN, content),)))


def market(*sonames: bytes) -> Market:
    made = Market()
    made.add("new", b"libc6", libc())
    for soname in sonames:
        made.add("new", soname.partition(b".")[0], {DIRECTORY + soname: library(soname, b"libc.so.6")})
    return made


def test_what_a_note_recommends_is_chosen_and_says_where_it_is_known_from() -> None:
    made = market(b"liba.so.1").resolve({PROGRAM: noted("recommended")})
    assert chosen(made, b"liba.so.1").wish == "note"


def test_what_a_note_suggests_stays_a_wish() -> None:
    made = market(b"liba.so.1").resolve({PROGRAM: noted("suggested")})
    assert made.wishes == (Wish((b"liba.so.1",), "note", "suggested"),)
    assert [choice.soname for choice in made.choices] == [b"libc.so.6"]


def test_what_is_required_and_nobody_has_stays_open_and_what_is_recommended_does_not() -> None:
    assert not market().resolve({PROGRAM: noted("required")}).is_complete
    made = market().resolve({PROGRAM: noted("recommended")})
    assert made.is_complete
    assert made.wishes == (Wish((b"liba.so.1",), "note", "recommended"),)


def test_a_pack_applies_where_its_library_is_in_the_closure() -> None:
    sonames = (b"libnss3.so", b"libsoftokn3.so", b"libfreebl3.so", b"libfreeblpriv3.so", b"libnssckbi.so")
    made = market(*sonames).resolve({PROGRAM: program(b"libnss3.so")})
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
    made = market(b"liba.so.1").resolve({PROGRAM: content})
    assert made.wishes == (Wish((b"liba.so.1",), "strings", "suggested"),)
