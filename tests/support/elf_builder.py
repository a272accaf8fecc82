"""Small ELF files built in memory, for both classes and byte orders.

    puts = Symbol(b"puts", defined=False, version=b"GLIBC_2.2.5", file=b"libc.so.6")
    build(Elf(needed=(b"libc.so.6",), symbols=(puts,), relocated=(b"puts",)))

One PT_LOAD maps the whole file at `base`, which is not 0 so that an address taken for an offset shows.
There are no section headers: nothing a loader does depends on them.
"""

import struct
from dataclasses import dataclass, replace

from denizen.elf import constants as c

__all__ = ["Elf", "Note", "Symbol", "build", "replace"]

# The same numbers on x86-64 and i386.
R_GLOB_DAT, R_JUMP_SLOT = 6, 7


@dataclass(frozen=True)
class Symbol:
    """A dynamic symbol; `version` is defined here, or for an undefined one needed from `file`."""

    name: bytes
    defined: bool = True
    version: bytes | None = None
    file: bytes | None = None
    hidden: bool = False
    binding: int = c.STB_GLOBAL
    type: int = c.STT_FUNC
    visibility: int = c.STV_DEFAULT
    section: int = 1
    value: int = 0x1000


@dataclass(frozen=True)
class Note:
    """A note, owner without its NUL; `alignment` 8 makes it a PT_NOTE of its own."""

    owner: bytes
    type: int
    content: bytes
    alignment: int = 4


@dataclass(frozen=True)
class Elf:
    """The content of an ELF file to be built."""

    bits: int = 64
    little: bool = True
    type: int = c.ET_DYN
    machine: int = 62
    base: int = 0x10000
    entry: int = 0
    interpreter: bytes | None = None
    dynamic: bool = True
    needed: tuple[bytes, ...] = ()
    soname: bytes | None = None
    rpath: bytes | None = None
    runpath: bytes | None = None
    flags: int = 0
    flags_1: int = 0
    names: tuple[tuple[int, bytes], ...] = ()  # further tags whose value is a string
    tags: tuple[tuple[int, int], ...] = ()  # further tags as they are
    symbols: tuple[Symbol, ...] = ()
    version_definitions: tuple[bytes, ...] = ()  # besides the base and those symbols mention
    hashes: tuple[str, ...] = ("gnu",)  # of "gnu" and "sysv"
    relocated: tuple[bytes, ...] = ()
    plt: tuple[bytes, ...] = ()
    notes: tuple[Note, ...] = ()
    stack: int | None = c.PF_R | c.PF_W
    appended: bytes = b""
    segments: tuple[tuple[int, bytes], ...] = ()  # further (p_type, content)
    raw: tuple[tuple[int, bytes], ...] = ()  # (tag, table): tables as they are, which win over built ones


def build(elf: Elf) -> bytes:
    """Return the file's bytes."""
    return _Builder(elf).file()


def gnu_hash(name: bytes) -> int:
    """Return the hash of DT_GNU_HASH (djb's, times 33)."""
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


def sysv_hash(name: bytes) -> int:
    """Return the hash of DT_HASH and of version names."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value >> 24 & 0xF0)) & 0x0FFFFFFF
    return value


class _Builder:
    def __init__(self, elf: Elf) -> None:
        self.elf = elf
        self.order = "<" if elf.little else ">"
        self.word = "Q" if elf.bits == 64 else "I"
        self.strings = b"\0"
        # Lookups need all that is not hashed first.
        self.symbols = sorted(elf.symbols, key=lambda symbol: symbol.defined)
        self.headers: list[tuple[int, int, int, int, int]] = []
        count = 1 + elf.dynamic + len(elf.notes) + len(elf.segments)
        count += (elf.interpreter is not None) + (elf.stack is not None)
        self.header_size = 64 if elf.bits == 64 else 52
        self.data = bytearray(self.header_size + count * (56 if elf.bits == 64 else 32))
        self.definitions = self._definitions()
        self.needs = self._needs()

    def pack(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.order + layout, *values)

    def string(self, text: bytes) -> int:
        found = self.strings.find(b"\0" + text + b"\0")
        if found < 0:
            found = len(self.strings) - 1
            self.strings += text + b"\0"
        return found + 1

    def place(self, blob: bytes, alignment: int = 8) -> int:
        """Append `blob`; its address."""
        self.data += bytes(-len(self.data) % alignment)
        self.data += blob
        return self.elf.base + len(self.data) - len(blob)

    def segment(self, kind: int, blob: bytes, alignment: int = 8, flags: int = c.PF_R) -> None:
        address = self.place(blob, alignment)
        self.headers.append((kind, flags, address - self.elf.base, len(blob), alignment))

    def file(self) -> bytes:
        elf = self.elf
        if elf.interpreter is not None:
            self.segment(c.PT_INTERP, elf.interpreter + b"\0", 1)
        for note in elf.notes:
            self.segment(c.PT_NOTE, self._note(note), note.alignment)
        for kind, content in elf.segments:
            self.segment(kind, content)
        if elf.dynamic:
            self.segment(c.PT_DYNAMIC, self._dynamic(), 8, c.PF_R | c.PF_W)
        if elf.stack is not None:
            self.headers.append((c.PT_GNU_STACK, elf.stack, 0, 0, 16))
        self.headers.append((c.PT_LOAD, c.PF_R | c.PF_W | c.PF_X, 0, len(self.data), 0x1000))
        head = self._header() + b"".join(self._program_header(*row) for row in self.headers)
        return head + bytes(self.data[len(head) :]) + elf.appended

    def _header(self) -> bytes:
        elf = self.elf
        ident = c.MAGIC + bytes([elf.bits // 32, 1 if elf.little else 2, 1, 0, 0]) + bytes(7)
        sizes = (self.header_size, 56 if elf.bits == 64 else 32, len(self.headers), 0, 0, 0)
        layout = f"HHI{self.word * 3}IHHHHHH"
        return ident + self.pack(layout, elf.type, elf.machine, 1, elf.entry, self.header_size, 0, 0, *sizes)

    def _program_header(self, kind: int, flags: int, offset: int, size: int, alignment: int) -> bytes:
        address = offset + self.elf.base
        if self.elf.bits == 64:
            return self.pack("IIQQQQQQ", kind, flags, offset, address, address, size, size, alignment)
        return self.pack("IIIIIIII", kind, offset, address, address, size, size, flags, alignment)

    def _note(self, note: Note) -> bytes:
        owner = note.owner + b"\0"
        body = self.pack("III", len(owner), len(note.content), note.type) + owner
        body += bytes(-len(body) % note.alignment)
        return body + note.content + bytes(-len(note.content) % note.alignment)

    def _definitions(self) -> dict[bytes, int]:
        """Version name to index, of those defined here; 1 is the base."""
        names = dict.fromkeys(self.elf.version_definitions)
        names.update(dict.fromkeys(s.version for s in self.symbols if s.defined and s.version is not None))
        return {name: index for index, name in enumerate(names, start=2)}

    def _needs(self) -> dict[tuple[bytes, bytes], int]:
        wanted = dict.fromkeys(
            (s.file or b"", s.version) for s in self.symbols if not s.defined and s.version is not None
        )
        return {pair: index for index, pair in enumerate(wanted, start=2 + len(self.definitions))}

    def _dynamic(self) -> bytes:
        elf = self.elf
        tags = [(c.DT_NEEDED, self.string(name)) for name in elf.needed]
        single = ((c.DT_SONAME, elf.soname), (c.DT_RPATH, elf.rpath), (c.DT_RUNPATH, elf.runpath))
        tags += [(tag, self.string(text)) for tag, text in (*single, *elf.names) if text is not None]
        tags += [
            (tag, value) for tag, value in ((c.DT_FLAGS, elf.flags), (c.DT_FLAGS_1, elf.flags_1)) if value
        ]
        symbols = self._symbol_table()
        tags += self._hash_tables() + self._version_tables() + self._relocations()
        # As linkers do: the strings directly behind the symbols.
        tags.append((c.DT_SYMTAB, self.place(symbols)))
        tags.append((c.DT_STRTAB, self.place(self.strings, 1)))
        tags += [(c.DT_STRSZ, len(self.strings)), (c.DT_SYMENT, 24 if elf.bits == 64 else 16)]
        tags += [(tag, self.place(table)) for tag, table in elf.raw]
        tags += elf.tags
        self.data += bytes(-len(self.data) % 8)
        return b"".join(self.pack(self.word * 2, *pair) for pair in (*tags, (c.DT_NULL, 0)))

    def _symbol_table(self) -> bytes:
        rows = [bytes(24 if self.elf.bits == 64 else 16)]
        for s in self.symbols:
            name, info = self.string(s.name), s.binding << 4 | s.type
            section, value = (s.section, s.value) if s.defined else (0, 0)
            if self.elf.bits == 64:
                rows.append(self.pack("IBBHQQ", name, info, s.visibility, section, value, 8))
            else:
                rows.append(self.pack("IIIBBH", name, value, 8, info, s.visibility, section))
        return b"".join(rows)

    def _hash_tables(self) -> list[tuple[int, int]]:
        tags = []
        if "gnu" in self.elf.hashes:
            tags.append((c.DT_GNU_HASH, self.place(self._gnu_hash())))
        if "sysv" in self.elf.hashes:
            tags.append((c.DT_HASH, self.place(self._sysv_hash())))
        return tags

    def _gnu_hash(self) -> bytes:
        """One bucket, and a Bloom filter that lets everything through."""
        hashed = [s for s in self.symbols if s.defined]
        first = 1 + len(self.symbols) - len(hashed)
        if not hashed:  # as GNU ld writes it where nothing is exported
            return self.pack(f"IIII{self.word}I", 1, 1, 1, 0, 0, 0)
        every = (1 << self.elf.bits) - 1
        chain = [gnu_hash(s.name) & ~1 for s in hashed]
        chain[-1] |= 1
        return self.pack(f"IIII{self.word}I{len(chain)}I", 1, first, 1, 6, every, first, *chain)

    def _sysv_hash(self) -> bytes:
        """One bucket whose chain runs through all symbols."""
        count = len(self.symbols) + 1
        chain = [0, *range(2, count), 0][:count]
        return self.pack(f"III{count}I", 1, count, 1 if self.symbols else 0, *chain)

    def _version_tables(self) -> list[tuple[int, int]]:
        if not self.definitions and not self.needs:
            return []
        indices = [0, *map(self._version_index, self.symbols)]
        tags = [(c.DT_VERSYM, self.place(self.pack(f"{len(indices)}H", *indices)))]
        if self.definitions:
            tags.append((c.DT_VERDEF, self.place(self._verdef())))
            tags.append((c.DT_VERDEFNUM, len(self.definitions) + 1))
        if self.needs:
            tags.append((c.DT_VERNEED, self.place(self._verneed())))
            tags.append((c.DT_VERNEEDNUM, len({file for file, _ in self.needs})))
        return tags

    def _version_index(self, symbol: Symbol) -> int:
        if symbol.version is None:
            return c.VER_NDX_GLOBAL
        if not symbol.defined:
            return self.needs[symbol.file or b"", symbol.version]
        return self.definitions[symbol.version] | (c.VERSYM_HIDDEN if symbol.hidden else 0)

    def _verdef(self) -> bytes:
        base = self.elf.soname or b"base"
        rows = [(base, 1, c.VER_FLG_BASE), *((name, index, 0) for name, index in self.definitions.items())]
        blob = b""
        for number, (name, index, flags) in enumerate(rows, start=1):
            following = 28 if number < len(rows) else 0
            blob += self.pack("HHHHIII", 1, flags, index, 1, sysv_hash(name), 20, following)
            blob += self.pack("II", self.string(name), 0)
        return blob

    def _verneed(self) -> bytes:
        files: dict[bytes, list[tuple[bytes, int]]] = {}
        for (file, version), index in self.needs.items():
            files.setdefault(file, []).append((version, index))
        blob = b""
        for number, (file, versions) in enumerate(files.items(), start=1):
            following = 16 + 16 * len(versions) if number < len(files) else 0
            blob += self.pack("HHIII", 1, len(versions), self.string(file), 16, following)
            for position, (version, index) in enumerate(versions, start=1):
                more = 16 if position < len(versions) else 0
                blob += self.pack("IHHII", sysv_hash(version), 0, index, self.string(version), more)
        return blob

    def _relocations(self) -> list[tuple[int, int]]:
        """DT_RELA in 64 bits and DT_REL in 32, as x86 does."""
        wide = self.elf.bits == 64
        table, size = (c.DT_RELA, c.DT_RELASZ) if wide else (c.DT_REL, c.DT_RELSZ)
        tags = []
        if self.elf.relocated:
            blob = self._relocation_table(self.elf.relocated, R_GLOB_DAT)
            tags += [(table, self.place(blob)), (size, len(blob))]
        if self.elf.plt:
            blob = self._relocation_table(self.elf.plt, R_JUMP_SLOT)
            tags += [(c.DT_JMPREL, self.place(blob)), (c.DT_PLTRELSZ, len(blob)), (c.DT_PLTREL, table)]
        return tags

    def _relocation_table(self, names: tuple[bytes, ...], kind: int) -> bytes:
        index = {symbol.name: number for number, symbol in enumerate(self.symbols, start=1)}
        if self.elf.bits == 64:
            return b"".join(self.pack("QQQ", 0, index[name] << 32 | kind, 0) for name in names)
        return b"".join(self.pack("II", 0, index[name] << 8 | kind) for name in names)
