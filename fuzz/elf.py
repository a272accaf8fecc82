"""The ELF reader and `classify`: seeds of all forms, and files built to make them slow or large."""

import struct
from collections.abc import Sequence

from denizen.elf import Image, classify
from denizen.elf import constants as c
from denizen.elf.script import parse_script
from denizen.elf.symbol_lookup import gnu_hash
from denizen.errors import BadInput
from tests.support.elf_builder import Elf, Note, Symbol, build

_PARTS = (
    "interpreter", "dynamic", "symbols", "version_needs", "version_definitions", "notes", "stack", "payload",
)  # fmt: skip
_SYMBOL_PARTS = (
    "names", "sections", "values", "version_indices", "defined_names", "undefined_names",
    "defined_versions", "undefined",
)  # fmt: skip
_RELOCATION_PARTS = ("data", "plt")
_NOTE_PARTS = ("build_id", "abi_tag", "properties", "dlopen", "package")

# More would measure the linker model, which asks for each name once.
LOOKUPS = 100

TOKENS = (
    b"\x7fELF", b"#!", b"GNU\0", b"FDO\0", b"AI\2", b"NODE_SEA_BLOB\0", b"SUI\0", b"\n---- Bun! ----\n",
    b"MEI\014\013\012\013\016", b"d3n0l4nd", b"PK\5\6", b'[{"soname":["x"]}]', b"[" * 2000, b"UPX!",
    b"!<arch>\n",
)  # fmt: skip
SCRIPT_TOKENS = (
    b"#!", b"/usr/bin/env ", b"-S", b"--split-string=", b"-", b"\\_", b"\\c", b"'", b'"', b"${X}", b"\n",
    b"\0", b"\t", b"A=1", b"\r",
)  # fmt: skip


def read_everything(data: bytes) -> None:
    """Classify, and look at every part that there is; raises the first refusal after the last part."""
    found = classify(data)
    refusals = [found.problem] if found.problem else []
    image = found.image
    if image is not None:
        refusals += _touch(image, _PARTS) + _touch(image.notes, _NOTE_PARTS)
        refusals += _touch_symbols(image)
    if refusals:
        raise refusals[0]


def _touch_symbols(image: Image) -> list[BadInput]:
    try:
        symbols = image.symbols
        symbols.exports_of({b"f", b"data"})
        for name in symbols.strong_references[1][:LOOKUPS]:
            symbols.lookup.find(name, gnu_hash(name))
    except BadInput as refusal:
        return [refusal]
    return _touch(symbols, _SYMBOL_PARTS) + _touch(symbols.relocations, _RELOCATION_PARTS)


def _touch(thing: object, names: Sequence[str]) -> list[BadInput]:
    """What is refused of these properties."""
    refusals = []
    for name in names:
        try:
            getattr(thing, name)
        except BadInput as refusal:
            refusals.append(refusal)
    return refusals


def read_script(data: bytes) -> object:
    """The first line of a script."""
    return parse_script(data)


def seeds() -> list[bytes]:
    """Small files of every form and with every structure, and what else `classify` tells apart."""
    forms = [(64, True), (64, False), (32, True), (32, False)]
    files = [build(_full(bits, little=little)) for bits, little in forms]
    files += [build(Elf(type=kind)) for kind in (c.ET_REL, c.ET_EXEC, c.ET_CORE, 0xFE00)]
    files.append(build(Elf(machine=c.EM_S390, hashes=("sysv",), symbols=(Symbol(b"f"),))))
    files.append(build(Elf(interpreter=b"/ld.so", segments=((c.PT_INTERP, b"lib/ld.so\0"),))))
    files.append(build(Elf(dynamic=False, entry=1, appended=b"PK\3\4" + bytes(40))))
    return [
        *files,
        *scripts(),
        b"",
        b"!<arch>\n",
        b"\x1f\x8b\x08",
        b"<!DOCTYPE html>",
        b"PK\3\4" + bytes(26) + b"META-INF/",
        b"MZ\x90\0",
        b"text\n",
    ]


def _full(bits: int, *, little: bool) -> Elf:
    order = "<" if little else ">"
    return Elf(
        bits=bits,
        little=little,
        entry=0x1000,
        interpreter=b"/lib64/ld-linux-x86-64.so.2",
        needed=(b"libc.so.6", b"libm.so.6"),
        soname=b"libseed.so.1",
        runpath=b"$ORIGIN/../lib:/opt",
        flags=c.DF_BIND_NOW,
        flags_1=c.DF_1_PIE,
        names=((c.DT_AUDIT, b"audit.so"), (c.DT_FILTER, b"filter.so")),
        symbols=(
            Symbol(b"puts", defined=False, version=b"GLIBC_2.2.5", file=b"libc.so.6"),
            Symbol(b"sin", defined=False, version=b"GLIBC_2.29", file=b"libm.so.6"),
            Symbol(b"maybe", defined=False, binding=c.STB_WEAK),
            Symbol(b"f", version=b"SEED_1", hidden=True),
            Symbol(b"f", version=b"SEED_2"),
            Symbol(b"data", type=c.STT_OBJECT),
        ),
        hashes=("gnu", "sysv"),
        relocated=(b"sin", b"maybe"),
        plt=(b"puts",),
        notes=(
            Note(b"GNU", 1, struct.pack(order + "4I", 0, 3, 2, 0)),
            Note(b"GNU", 3, bytes(range(20))),
            Note(b"GNU", 5, struct.pack(order + "IIII", 0xC0008002, 4, 1, 0), alignment=8),
            Note(b"FDO", 0x407C0C0A, b'[{"soname":["liba.so.1"],"priority":"required"}]\0'),
            Note(b"FDO", 0xCAFE1A7E, b'{"type":"deb","name":"seed"}\0'),
        ),
    )


def scripts() -> list[bytes]:
    """First lines, sound and odd."""
    return [
        b"#!/bin/sh\n",
        b"#! /usr/bin/env -S -i A=b python3 -u 'a b' \"c\\td\" e\\_f # no\n",
        b"#!/usr/bin/env -vS perl -w\n",
        b"#!" + b"/long" * 60 + b"\n",
        b"#!/bin/sh\r\n",
        b"#!\n",
    ]


def large() -> list[bytes]:
    """Files near a megabyte: one structure repeated as often as it fits, or made to overlap."""
    packed = struct.Struct("<IBBHQQ")
    tail = b"n" * 200_000
    names = [packed.pack(1 + i % 200_000, 0x12, 0, 1, 1, 1) for i in range(30_000)]
    distinct = b"".join(b"symbol%06d\0" % i for i in range(25_000))
    rows = [packed.pack(1 + 13 * i, 0x12 if i % 2 else 0x10, 0, i % 2, 1, 1) for i in range(25_000)]
    need = struct.pack("<HHIII", 1, 1, 1, 16, 32) + struct.pack("<IHHII", 1, 0, 2, 1, 0)
    crowded = struct.pack("<HHIII", 1, 65535, 1, 1, 1)
    definition = struct.pack("<HHHHIII", 1, 0, 2, 1, 1, 20, 28) + struct.pack("<II", 1, 0)
    endless = struct.pack("<IIII", 1, 1, 0, 0) + b"\1\0\0\0" + bytes(900_000)
    notes = struct.pack("<III", 0, 0, 1) * 80_000
    properties = struct.pack("<III", 4, 900_000, 5) + b"GNU\0" + struct.pack("<IIQ", 1, 8, 0) * 56_250
    few = {c.DT_STRTAB: b"\0name\0"}
    return [
        _raw({c.DT_SYMTAB: b"".join([bytes(24), *names]), c.DT_STRTAB: b"\0" + tail}),
        _raw({c.DT_SYMTAB: b"".join([bytes(24), *rows]), c.DT_STRTAB: b"\0" + distinct}),
        _raw({c.DT_SYMTAB: b"".join([bytes(24), *rows]), c.DT_STRTAB: bytes(400_000)}),
        _raw(few | {c.DT_VERNEED: need * 30_000}),
        _raw(few | {c.DT_VERNEED: crowded * 60_000}),
        _raw(few | {c.DT_VERDEF: definition * 25_000}),
        _raw({c.DT_STRTAB: b"\0" + tail}, tags=[(c.DT_NEEDED, 1)] * 40_000),
        _raw({c.DT_RELA: bytes(range(1, 25)) * 40_000}, tags=[(c.DT_RELASZ, 960_000)]),
        _raw({c.DT_GNU_HASH: endless, c.DT_SYMTAB: bytes(24)}),
        _raw({}, segments=[(c.PT_NOTE, notes)]),
        _raw({}, segments=[(c.PT_NOTE, properties)]),
        _raw({}, segments=[(c.PT_LOAD, b"x")] * 17_000, kind=c.ET_CORE),
        _raw({}, segments=[(c.PT_NOTE, b"x" * 16)] * 17_000, kind=c.ET_CORE),
        _crowd(45_000),
        _raw({}) + b"MEI\014\013\012\013\016" * 100_000,
        b"#!/bin/sh\n" * 100_000,
        b"a" * 1_000_000,
    ]


def _raw(
    tables: dict[int, bytes],
    *,
    tags: Sequence[tuple[int, int]] = (),
    segments: Sequence[tuple[int, bytes]] = (),
    kind: int = c.ET_DYN,
) -> bytes:
    """A 64-bit file whose dynamic section points to these tables as they are."""
    if c.DT_SYMTAB in tables and c.DT_GNU_HASH not in tables:
        tables[c.DT_HASH] = _hash_table(len(tables[c.DT_SYMTAB]) // 24)
    if c.DT_STRTAB in tables:
        tags = [(c.DT_STRSZ, len(tables[c.DT_STRTAB])), *tags]
    return build(
        Elf(
            type=kind,
            hashes=(),
            tags=tuple(tags),
            segments=tuple(segments),
            raw=tuple(tables.items()),
            entry=1,
        )
    )


def _hash_table(count: int) -> bytes:
    """One bucket and no chain, for this many symbols."""
    return struct.pack("<III", 1, count, 0) + bytes(4 * count)


def _crowd(count: int) -> bytes:
    """Symbols of the 32-bit class, 45,000 to the megabyte: all of one name, and half of them defined."""
    pair = struct.pack("<IIIBBH", 1, 1, 1, 0x12, 0, 1) + struct.pack("<IIIBBH", 1, 0, 0, 0x10, 0, 0)
    tables = {
        c.DT_SYMTAB: bytes(16) + pair * (count // 2),
        c.DT_STRTAB: b"\0n\0" + bytes(20_000),
        c.DT_HASH: _hash_table(count + 1),
        c.DT_VERSYM: bytes(2) + b"\2\0\3\x80" * (count // 2),
    }
    size = len(tables[c.DT_STRTAB])
    return build(Elf(bits=32, machine=3, hashes=(), raw=tuple(tables.items()), tags=((c.DT_STRSZ, size),)))
