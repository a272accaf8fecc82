"""Image, an ELF file whose parts are parsed at first use (pure).

    image = read(buffer)
    image.dynamic.needed, image.symbols.undefined_names, image.version_needs

`read` itself parses the header and the program headers only. Every property raises BadInput (Truncated
or Malformed) for its own part, and the others stay usable: the interpreter of a program with broken
version tables can be read. The module of a part is imported at first use, 0.3 to 0.6 ms each: reading
DT_NEEDED does not import the symbol table's module.
"""

from __future__ import annotations

from denizen.bytesio import take
from denizen.elf import constants as c
from denizen.elf.cached_property import once
from denizen.elf.dynamic import parse_entries, resolve, string_table
from denizen.elf.errors import Malformed
from denizen.elf.header import parse_header, parse_segments
from denizen.elf.mapped_segments import Memory
from denizen.value import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.dynamic import Dynamic
    from denizen.elf.header import Header, Segment
    from denizen.elf.notes import Notes
    from denizen.elf.payload import Payload
    from denizen.elf.strings import StringTable
    from denizen.elf.symbols import Symbols
    from denizen.elf.versions import NeedRecord, VersionDefinition, VersionNeed, Versions

# Linux binfmt_elf.c: bytes of an interpreter's path, NUL included; at most PATH_MAX.
MIN_INTERPRETER = 2
MAX_INTERPRETER = 4096


class StackPolicy(Enum):
    """The protection of the stack that PT_GNU_STACK asks for."""

    EXECUTABLE = "executable"
    PLAIN = "plain"
    # No PT_GNU_STACK: the kernel's default for the architecture, executable on x86.
    UNSTATED = "unstated"


class Image:
    """An ELF file as a loader reads it; made by `read`."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.header: Header = parse_header(buffer)
        self.segments: tuple[Segment, ...] = parse_segments(buffer, self.header)
        # The first program header of each type.
        self.first_rows: dict[int, Segment] = {row[0]: row for row in self.segments[::-1]}
        # The PT_LOAD segments, in order of their rows.
        self.loads: list[Segment] = [row for row in self.segments if row[0] == c.PT_LOAD]

    @once
    def interpreter(self) -> bytes | None:
        """PT_INTERP's path; None for a library or a static program.

        Raises:
            Malformed: the kernel would refuse it: empty, beyond PATH_MAX, or not ending in NUL.
            Truncated: it lies outside the file.
        """
        segment = self.first_rows.get(c.PT_INTERP)
        if segment is None:
            return None
        if not MIN_INTERPRETER <= segment.file_size <= MAX_INTERPRETER:
            raise Malformed("PT_INTERP", f"a path of {segment.file_size} bytes", segment.offset)
        path = take(self.buffer, segment.offset, segment.file_size, "PT_INTERP")
        if not path.endswith(b"\0"):
            raise Malformed("PT_INTERP", "its path does not end in NUL", segment.offset)
        return path.partition(b"\0")[0]

    @once
    def memory(self) -> Memory:
        """The file as mapped, for reading by address."""
        return Memory(self.buffer, self.header, self.loads)

    @once
    def dynamic(self) -> Dynamic | None:
        """The dynamic section; None where there is no PT_DYNAMIC. Raises Malformed."""
        entries, values = self._dynamic_entries
        return None if entries is None else resolve(entries, values, self.strings)

    @once
    def strings(self) -> StringTable:
        """The dynamic string table, empty where there is none. Raises Malformed."""
        return string_table(self.memory, self._dynamic_entries[1])

    @once
    def symbols(self) -> Symbols:
        """The dynamic symbols, none where there is no table. Raises Malformed."""
        from denizen.elf.symbols import Symbols

        return Symbols(self.memory, self._dynamic_entries[1], self.strings, self._versions)

    @property
    def version_needs(self) -> tuple[VersionNeed, ...]:
        """The versions required of other libraries. Raises Malformed."""
        return self._versions.needs

    @property
    def version_definitions(self) -> tuple[VersionDefinition, ...]:
        """The versions this library defines. Raises Malformed."""
        return self._versions.definitions

    @property
    def need_records(self) -> tuple[NeedRecord, ...]:
        """The versions required, as they lie in the file. Raises Malformed."""
        return self._versions.need_records

    @once
    def starts_others(self) -> bool:
        """Tell whether a static program can execute others, by its code: the file is searched, once."""
        from denizen.elf.exec_calls import starts_others

        return starts_others(self.buffer, self.header.machine)

    @once
    def sections(self) -> list[tuple[int, ...]]:
        """The fields of each section header; [] where the table is not valid."""
        from denizen.elf.sections import section_headers

        return section_headers(self.buffer, self.header)

    @once
    def end(self) -> int:
        """The offset behind the last byte that the headers account for; a payload may follow."""
        from denizen.elf.payload import end_of_elf

        return end_of_elf(self.buffer, self.header, self.segments, self.sections)

    @property
    def stack(self) -> StackPolicy:
        """The protection asked for the stack; the last PT_GNU_STACK counts, as in the kernel."""
        flags = [s.flags for s in self.segments if s.type == c.PT_GNU_STACK]
        if not flags:
            return StackPolicy.UNSTATED
        return StackPolicy.EXECUTABLE if flags[-1] & c.PF_X else StackPolicy.PLAIN

    @once
    def notes(self) -> Notes:
        """Build-id, ABI, properties, dlopen and package metadata; errors are in the result."""
        from denizen.elf.notes import parse_notes

        return parse_notes(self.buffer, self.header, self.segments)

    @once
    def payload(self) -> Payload | None:
        """The application packed into the file besides the program, or None."""
        from denizen.elf.payload import find_payload

        return find_payload(self.buffer, self.header, self.segments, self.notes, self.end)

    @once
    def _dynamic_entries(self) -> tuple[tuple[tuple[int, int], ...] | None, dict[int, int]]:
        """The entries of PT_DYNAMIC, None where there is none, and the last value of each tag."""
        row = self.first_rows.get(c.PT_DYNAMIC)
        entries = None if row is None else parse_entries(self.memory, row)
        return entries, dict(entries or ())

    @once
    def _versions(self) -> Versions:
        from denizen.elf.versions import Versions

        return Versions(self.memory, self._dynamic_entries[1], self.strings)


def read(buffer: Buffer) -> Image:
    """Return an image of the ELF file in `buffer`, which must not change while the image is used.

    Raises:
        NotElf: the bytes are not ELF (`classify` identifies them).
        Malformed: the header contradicts the format.
        Truncated: the header or the program headers are incomplete.
    """
    return Image(buffer)
