"""The loader's C readers under AddressSanitizer and UndefinedBehaviorSanitizer, in a process fed with inputs.

Its sources are compiled as they are, but for their system calls (loader/harness.c). A sanitizer's report, a
signal or a mapping outside of what was reserved ends the process: that is the finding, and the next input
gets a new one.
"""

import atexit
import os
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from denizen.app.bundles.compressors import lzma_streams, zstd_frames
from denizen.elf import constants as c
from denizen.errors import BadInput
from denizen.formats.bundle_image import BlockMethod, EntryKind, ImageEntry, encode_over
from denizen.formats.bundle_image import encode as encode_image
from denizen.formats.squashfs_writer import StoredFile, StoredPiece
from denizen.launch.decisions.decision import Decision as Made
from denizen.launch.decisions.decision import DecisionLibrary, Edit
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.decisions.program_identity import Identity, machine_word
from denizen.launch.joined_libraries import table_of
from denizen.launch.loader.loader_settings import BLOCK_SIZE, HEADER, MAGIC
from fuzz.launch import DECISION_TOKENS
from tests.support.elf_builder import Elf, Note, Symbol, build
from tests.support.elf_rewriting import at_the_end, with_second_interpreter
from tests.support.index_files import index_file
from tests.support.kept_files import compiler_version, digest_of, kept
from tests.support.unwind_tables import unwind_tables

HERE = Path(__file__).parent
LOADER = HERE.parent / "loader"
# The others (start.c, run_as_program.c, helper.c, entry_stub.c, ...) read nothing foreign but through these;
# harness.c includes resident/package_index.c and joined_libraries.c.
SOURCES = (
    "arena", "auxv", "covered_linker", "decision", "dynamic_section", "elf_mapping", "inside/child",
    "starters", "library_path", "preload", "program_identity", "entry_hook", "shared_object", "text", "trust",
    "unpack/fse", "unpack/huffman", "unpack/lzma", "unpack/packed_image", "unpack/unwind",
    "unpack/x86", "unpack/zstd", "resident/joined_library",
)  # fmt: skip
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)
# The loader defines these for itself; here they would be taken for the C library's.
RENAMED = tuple(f"-D{name}=loader_{name}" for name in ("memcpy", "memmove", "memset", "memcmp"))
ELF_TOKENS = (
    b"\x7fELF", MAGIC, b"$ORIGIN", b"\0" * 8, b"\xff" * 8, struct.pack("<Q", 0x1000),
    struct.pack("<II", 1, 5), struct.pack("<QQ", 0x6FFFFFFE, 0x10000),
    struct.pack("<QQ", 0x6FFFFFFC, 0x10000), struct.pack("<II", 2, 6),
    struct.pack("<QQ", 5, 0x10000), struct.pack("<II", 6, 4), struct.pack("<II", 3, 4),
)  # fmt: skip


class Refused(BadInput):
    """The loader ended with its one line, or said no."""

    @property
    def what(self) -> str:
        return "the loader refuses it"


class Finding(Exception):
    """The harness ended; what it said."""


class Harness:
    """A running harness, started anew when an input has ended it."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, target: bytes, data: bytes) -> bool:
        """Whether the loader accepts it. Raises Finding."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        try:
            process.stdin.write(target + struct.pack("<I", len(data)) + data)
            process.stdin.flush()
            answer = process.stdout.read(1)
        except BrokenPipeError:
            pass
        if not answer:
            raise Finding(self._last_words(process))
        return answer == b"+"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
            self._process = subprocess.Popen(
                [self._program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
            )
        return self._process

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        self.end()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace")
        return f"status {process.returncode}: {said[:4000]}"

    def end(self) -> None:
        """Let it end; the next input starts another."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


@cache
def harness() -> Harness:
    """The harness, compiled once for these sources."""
    own = [*(HERE / "loader").iterdir()]
    sources = [file for file in LOADER.rglob("*") if file.suffix in (".c", ".h")]
    # Its reports name the sources by their paths.
    words = (str(LOADER), *SOURCES, *SANITIZERS, *RENAMED, compiler_version("cc"))
    try:
        made = Harness(kept("harnesses", digest_of(HERE.parent, [*own, *sources], *words), _compile, most=4))
    except subprocess.CalledProcessError as error:
        # Else it would be compiled again, and fail again, for each input.
        raise SystemExit("the harness does not compile") from error
    atexit.register(made.end)
    return made


def _compile(directory: Path) -> Path:
    flags = ("-std=gnu11", "-I", os.fspath(LOADER), *SANITIZERS)
    shim = ("-include", os.fspath(HERE / "loader" / "shim.h"))
    sources = [os.fspath(LOADER / f"{name}.c") for name in SOURCES]
    program = directory / "harness"
    own = sorted((HERE / "loader").glob("*.c"))
    subprocess.run(["cc", "-c", *flags, *shim, *RENAMED, *sources], cwd=directory, check=True)
    objects = sorted(directory.glob("*.o"))
    subprocess.run(["cc", *flags, "-o", program, *own, *objects], cwd=directory, check=True)
    return program


def asks(target: bytes) -> Callable[[bytes], None]:
    """A target of the harness: raises Refused, and Finding."""

    def run(data: bytes) -> None:
        if not harness().ask(target, data):
            raise Refused

    return run


def _library(**changes: object) -> bytes:
    known = {
        "interpreter": b"/lib64/ld-linux-x86-64.so.2",
        "needed": (b"libc.so.6", b"libm.so.6"),
        "soname": b"libseed.so.1",
        "runpath": b"$ORIGIN/../lib:/opt",
        "symbols": (
            Symbol(b"puts", defined=False, version=b"GLIBC_2.2.5", file=b"libc.so.6"),
            Symbol(b"sin", defined=False, version=b"GLIBC_2.29", file=b"libm.so.6"),
            Symbol(b"f", version=b"SEED_1"),
        ),
        "notes": (Note(b"GNU", 3, bytes(20)),),
        "machine": {"x86_64": 62, "aarch64": 183}.get(os.uname().machine, 62),
    }
    return build(Elf(**{**known, **changes}))  # type: ignore[arg-type]  # fields by name


@cache
def _compiled(*flags: str) -> bytes:
    """A program as a compiler makes it, whose headers tell where they are."""
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory) / "program"
        small = ("-s", "-pie", "-fPIE", "-Wl,-z,noseparate-code,-z,max-page-size=4096,-rpath,$ORIGIN/lib")
        subprocess.run(
            ["cc", "-x", "c", "-o", program, "-", *small, *flags],
            input=b"int main() { return 0; }",
            check=True,
        )
        return program.read_bytes()


def objects() -> Sequence[bytes]:
    """Libraries and programs, with what the loader reads of them."""
    return [
        _compiled(),
        at_the_end(_compiled()),
        with_second_interpreter(_compiled()),
        _library(),
        _library(type=c.ET_EXEC, base=0x400000),
        _library(symbols=(), notes=()),
        b"\x7fELF",
        b"#!/bin/sh",
    ]


def children() -> Sequence[bytes]:
    """Programs and scripts that a program may start: most of them foreign."""
    foreign = _compiled("-Wl,--dynamic-linker=/nowhere/ld.so")
    return [
        foreign,
        at_the_end(foreign),
        with_second_interpreter(foreign),
        _compiled(),
        b"#!/bin/sh -e\n",
        b"#!/usr/bin/env python3\n",
    ]


def loaders() -> Sequence[bytes]:
    """What may lie over a dynamic linker."""
    block = (HEADER.pack(MAGIC, 1, 0) + b"d/decisions\0h/host/ld.so\0").ljust(BLOCK_SIZE, b"\0")
    return [b"\x7fELF" + bytes(200) + block + bytes(100), b"\x7fELF" + block, block[: BLOCK_SIZE - 1]]


def decisions() -> Sequence[bytes]:
    """Decisions of this machine's, of one library and of many."""
    libraries = tuple(
        DecisionLibrary(b"/store/x/lib%d.so" % n, b"lib%d.so" % n, pinned=n == 1) for n in range(4)
    )
    made = Made(
        identity=Identity(1, 2, 3, 4, 5), headers=bytes(16), machine=machine_word(64, 62),
        ldso=b"/store/ld.so", build_id=bytes(20), search=b"/store/x", program=b"/program",
        libraries=libraries, objects=(b"/store/x",), command=(b"/enter", b"--"),
        edits=(Edit(16, b"ab", b"cd"),),
    )  # fmt: skip
    return [encode(made)]


def indexes() -> Sequence[bytes]:
    """Indexes with the name that is looked for, with others, and with none."""
    names = [b"liba.so.1", b"libseed.so.1", b"libz.so.2"]
    return [index_file(names), index_file(names[:1]), index_file(names[2:] * 9), index_file([])]


def joined_tables() -> Sequence[bytes]:
    """Tables of links with the name that is looked for, with others, and with none."""
    links = {b"liba.so.1": b"/a", b"libseed.so.1": b"/store/x/libseed.so.1", b"libz.so.2": b"/z"}
    return [table_of(b"/store/x", links), table_of(b"/store/x", {b"liba.so.1": b"/a"}), table_of(b"/", {})]


def packed_images() -> Sequence[bytes]:
    """Images of bundles, with blocks of every kind."""
    kinds = [b"", b"a" * 3000, bytes(range(256)) * 9, b"".join(b"word %d " % n for n in range(900))]
    kinds += [unwind_tables([16 * at for at in range(count)]) for count in (0, 2, 40)]
    entries = [ImageEntry(b"d/%d" % n, EntryKind.FILE, content) for n, content in enumerate(kinds)]
    by_zstd = [encode_image(entries, zstd_frames(level), x86=level == 5) for level in (1, 5, 19)]
    stored = encode_image(entries, bytes)  # its unwind tables can be seen
    by_lzma = encode_image(entries, lzma_streams(), method=BlockMethod.LZMA, x86=True)
    return [*by_zstd, by_lzma, stored, _image_over()]


def _image_over() -> bytes:
    """Return an image whose file goes on in a second block, as in an AppImage."""
    frame = zstd_frames(1)(b"a" * 3000)
    pieces = StoredPiece(0, len(frame), 3000), StoredPiece(len(frame), 4, 4)
    entries = [
        ImageEntry(b"d/file", EntryKind.FILE, bytes(3004)),
        ImageEntry(b"l", EntryKind.LINK, b"d/file"),
    ]
    return encode_over(entries, {b"d/file": StoredFile(pieces, 0, 3004)}, 64) + frame + b"tail"


PACKED_TOKENS = (
    b"\x01\x1b\x03\x3b",
    b"DENIZENB",
    b"\x28\xb5\x2f\xfd",
    b"\0" * 8,
    b"\xff" * 4,
    b"../x\0",
    b"d/0\0",
)
TOKENS = DECISION_TOKENS
JOINED_TOKENS = (b"libseed.so.1\0", b"/store/x\0", b"\0" * 8, b"\xff" * 4, struct.pack("<II", 1, 16))
INDEX_TOKENS = (
    b"sonames\0",
    b"sonames.at\0",
    b"libseed.so.1\t",
    b"\0" * 8,
    b"\xff" * 8,
    struct.pack("<Q", 76),
)
