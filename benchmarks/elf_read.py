"""The dynamic section and all symbol names of every library in the system's library directory.

Claim (issue 2): at most 0.25 ms for a library in the median. The peers do the same work on the same files
in the same run, from path to NEEDED, SONAME and the names of all dynamic symbols; LIEF is told to leave
the rest alone.
"""

import os
import statistics
import sysconfig
import time
from collections.abc import Callable

import lief
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from benchmarks.support import table
from denizen.disk_view import DiskView
from denizen.elf import NotElf, read

# One round of pyelftools takes several seconds.
ROUNDS = {"denizen": 5, "LIEF": 5, "pyelftools": 1}
_VIEW = DiskView()


def main() -> None:
    files = libraries(os.path.join(b"/usr/lib", sysconfig.get_config_var("MULTIARCH").encode()))
    expected = [ours(path) for path in files]
    agreeing = sum(lief_reads(path) == facts for path, facts in zip(files, expected, strict=True))
    print(
        f"{len(files)} libraries, {sum(facts[2] for facts in expected):,} symbols, LIEF agrees on {agreeing}"
    )
    times = {name: medians(run, files, ROUNDS[name]) for name, run in READERS.items()}
    base = times["denizen"]
    rows = [["", "median ms", "90 % below", "total s", "times denizen's"]]
    for name, each in times.items():
        middle, high = statistics.median(each) * 1000, statistics.quantiles(each, n=10)[-1] * 1000
        ratio = sum(each) / sum(base)
        rows.append([name, f"{middle:.3f}", f"{high:.3f}", f"{sum(each):.3f}", f"{ratio:.1f}"])
    print(table(rows))


def libraries(directory: bytes) -> list[bytes]:
    """Every ELF file named *.so or *.so.* there, each once."""
    names = {os.path.realpath(entry.path) for entry in os.scandir(directory) if b".so" in entry.name}
    return [path for path in sorted(names) if is_elf(path)]


def is_elf(path: bytes) -> bool:
    """Linker scripts are called libc.so too."""
    try:
        read(_VIEW.read(path))
    except (NotElf, OSError):
        return False
    return True


def medians(run: Callable[[bytes], object], files: list[bytes], rounds: int) -> list[float]:
    """The median of each file's times."""
    taken = [[timed(run, path) for path in files] for _ in range(rounds)]
    return [statistics.median(times) for times in zip(*taken, strict=True)]


def timed(run: Callable[[bytes], object], path: bytes) -> float:
    before = time.perf_counter()
    run(path)
    return time.perf_counter() - before


def ours(path: bytes) -> tuple[int, bytes | None, int]:
    """(needed libraries, soname, named symbols)."""
    image = read(_VIEW.read(path))
    dynamic = image.dynamic
    needed, soname = (len(dynamic.needed), dynamic.soname) if dynamic else (0, None)
    return needed, soname, len(image.symbols.names)


def lief_reads(path: bytes) -> tuple[int, bytes | None, int]:
    config = lief.ELF.ParserConfig()
    config.parse_relocations = config.parse_symtab_symbols = config.parse_notes = False
    config.parse_symbol_versions = config.parse_overlay = False
    binary = lief.ELF.parse(os.fsdecode(path), config)
    assert binary is not None
    names = [symbol.name for symbol in binary.dynamic_symbols]
    soname = binary.get(lief.ELF.DynamicEntry.TAG.SONAME)
    name = os.fsencode(soname.name) if isinstance(soname, lief.ELF.DynamicSharedObject) else None
    return len(binary.libraries), name, len(names)


def pyelftools_reads(path: bytes) -> tuple[int, int]:
    """By section headers, as its users do: by segments it takes several times as long."""
    with open(path, "rb") as stream:
        file = ELFFile(stream)
        dynamic, symbols = file.get_section_by_name(".dynamic"), file.get_section_by_name(".dynsym")
        assert isinstance(dynamic, DynamicSection)
        assert isinstance(symbols, SymbolTableSection)
        tags = [tag.entry.d_tag for tag in dynamic.iter_tags()]
        names = [symbol.name for symbol in symbols.iter_symbols()]
    return tags.count("DT_NEEDED"), len(names)


READERS: dict[str, Callable[[bytes], object]] = {
    "denizen": ours,
    "LIEF": lief_reads,
    "pyelftools": pyelftools_reads,
}
