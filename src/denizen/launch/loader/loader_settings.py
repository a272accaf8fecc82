"""The configuration block inside the loader binary (pure).

The loader reads no environment and no file but decisions, so where those are is written into its
own copy. Specification: docs/formats/loader-config.md; the reader is loader/loader_settings.c:

    block   = magic(24) version(4) zero(4) setting... NUL padding      4096 bytes in all
    setting = kind(1) text NUL

`kind` is one of SETTINGS' letters; settings of one kind keep their order. A loader as compiled has
an empty block: it finds no decision and says so.
"""

from __future__ import annotations

import struct

from denizen.bytesio import take
from denizen.errors import BadInput
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.bytesio import Buffer

MAGIC = b"DENIZEN-LOADER-SETTINGS\0"
VERSION = 1
BLOCK_SIZE = 4096
# Bytes. A larger file is no loader of denizen's and need not be read to know it.
MAX_LOADER = 1 << 20
HEADER = struct.Struct("<24sII")

_DIRECTORY, _COMMAND, _HOST_LDSO, _HOST_PREFIX = b"d", b"c", b"h", b"p"
_PACKAGE_LDSO = b"w"
_INSIDE, _RESIDENT, _GENERATION, _BOUND, _NIX_LD = b"i", b"r", b"g", b"b", b"n"
_INSTALLED, _BUNDLE, _ARGUMENT, _APPIMAGE = b"o", b"u", b"a", b"m"
_EXEC, _STARTER, _OTHER_STARTER = b"j", b"s", b"z"
_COMMANDS, _LIBRARY_PATHS, _BROUGHT, _LAYERED = b"e", b"l", b"k", b"y"


class NotALoader(BadInput):
    """The error that a file does not have exactly one configuration block."""

    blocks: int
    WHAT = "this is not a denizen loader"
    WHY = "it has {blocks} configuration blocks; a loader has one"


class SettingsTooLong(BadInput):
    """The error that the settings do not fit into the block, or that one holds a NUL."""

    size: int
    WHAT = "the loader's settings do not fit"

    @property
    def why(self) -> str:
        return f"{self.size} bytes (or a NUL inside one); the block has {BLOCK_SIZE - HEADER.size}"


# Directories of the host's own programs, which need no decision. Paths are compared with them by
# loader/start.c, loader/inside/child.c, loader/library_facts.c, script_launch.py and loader_files.py.
HOST_PREFIXES = (b"/usr/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/")


class LoaderSettings(Value):
    """The settings in a loader's configuration block.

    Attributes:
        directories: the directories of decisions, searched in order; `%u` stands for the user's number.
        command: makes the decision for a program whose path is appended; () forbids it.
        host_ldso: where the host's own dynamic linker is bound in the namespace, for programs of the host.
        package_ldso: the dynamic linker of packages, for who executes the interpreter's path itself
            (`ld.so --version`) where the host has none; b"" for none.
        host_prefixes: programs below these directories are the host's; no decision is looked for.
        inside: a library to put into programs whose file the kernel does not know, b"" for none.
        resident: a library to put into programs that get libraries at run time, b"" for none.
        exec_library: a library to put into programs that start others, which answers where the kernel cannot
            start them; b"" for none.
        starter: the loader by which that library starts them; b"" for none.
        other_starter: the same for programs of the other word size that this kernel starts, also for the
            library `inside`; b"" for none.
        generation: decisions of an earlier generation are made again, where they can be.
        commands: the loader is at the path of a command that the host lacks, and this directory has a link to
            the program for each that was executed (launch.command_links); b"" for none.
        library_paths: a start with LD_LIBRARY_PATH looks first for a decision of its own: in each of these
            with what the value is called by behind it (launch.decisions.decision_variants).
        installed: the loader is bin/NAME of an object whose programs/NAME leads to the program
            (profiles.builtin_commands).
        brought: such a directory too, in which the library inside looks for what its program executes and the
            host lacks; b"" if no command is brought for it.
        bundle: the loader is a bundle's: `.` where the files lie beside it, else where in its own file its
            image is (launch.bundle_launcher); b"" if it is none's.
        arguments: those that a bundle's program gets before those of the start (launch.bundle_launcher).
        appimage: where the SquashFS image begins in the bundle's file, in decimal, if it is an AppImage too.
        layered: denizen's own directories: where they are on a read-only file system, what the command would
            write is kept in memory above them, for the program that is started (loader/writable_layer.c).
        bound: the loader is for one namespace; denizen reads this, the loader does not.
        nix_ld: NIX_LD and NIX_LD_LIBRARY_PATH serve programs without a decision, but never root's.
    """

    directories: tuple[bytes, ...] = ()
    command: tuple[bytes, ...] = ()
    host_ldso: bytes = b""
    package_ldso: bytes = b""
    host_prefixes: tuple[bytes, ...] = ()
    inside: bytes = b""
    resident: bytes = b""
    exec_library: bytes = b""
    starter: bytes = b""
    other_starter: bytes = b""
    generation: int = 0
    commands: bytes = b""
    library_paths: tuple[bytes, ...] = ()
    installed: bool = False
    brought: bytes = b""
    bundle: bytes = b""
    arguments: tuple[bytes, ...] = ()
    appimage: bytes = b""
    layered: tuple[bytes, ...] = ()
    bound: bool = False
    nix_ld: bool = False


def configure_loader(binary: bytes, settings: LoaderSettings) -> bytes:
    """Return the loader's bytes with these settings; the size does not change.

    Raises:
        NotALoader: the file has no block, or several.
        SettingsTooLong: the settings do not fit.
    """
    texts = [
        *((_DIRECTORY, text) for text in settings.directories),
        *((_COMMAND, text) for text in settings.command),
        *((_HOST_LDSO, text) for text in [settings.host_ldso] if text),
        *((_PACKAGE_LDSO, text) for text in [settings.package_ldso] if text),
        *((_HOST_PREFIX, text) for text in settings.host_prefixes),
        *((_INSIDE, text) for text in [settings.inside] if text),
        *((_RESIDENT, text) for text in [settings.resident] if text),
        *((_EXEC, text) for text in [settings.exec_library] if text),
        *((_STARTER, text) for text in [settings.starter] if text),
        *((_OTHER_STARTER, text) for text in [settings.other_starter] if text),
        *((_GENERATION, b"%d" % number) for number in [settings.generation] if number),
        *((_COMMANDS, text) for text in [settings.commands] if text),
        *((_LIBRARY_PATHS, text) for text in settings.library_paths),
        *((_INSTALLED, b"1") for _ in range(settings.installed)),
        *((_BROUGHT, text) for text in [settings.brought] if text),
        *((_BUNDLE, text) for text in [settings.bundle] if text),
        *((_ARGUMENT, text) for text in settings.arguments),
        *((_APPIMAGE, text) for text in [settings.appimage] if text),
        *((_LAYERED, text) for text in settings.layered),
        *((_BOUND, b"1") for _ in range(settings.bound)),
        *((_NIX_LD, b"1") for _ in range(settings.nix_ld)),
    ]
    return with_settings(binary, texts)


def with_settings(binary: bytes, texts: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return a compiled program's bytes with these (letter, text) settings.

    Raises NotALoader, SettingsTooLong.
    """
    start = _block_of(binary)
    content = b"".join(kind + text + b"\0" for kind, text in texts)
    # One byte is left for the NUL that ends the list.
    if len(content) >= BLOCK_SIZE - HEADER.size or any(b"\0" in text for _, text in texts):
        raise SettingsTooLong(len(content))
    block = (HEADER.pack(MAGIC, VERSION, 0) + content).ljust(BLOCK_SIZE, b"\0")
    return binary[:start] + block + binary[start + BLOCK_SIZE :]


def settings_of(binary: Buffer) -> LoaderSettings:
    """Return the settings of a loader; `denizen loader status` shows them.

    Raises:
        NotALoader: the file has no block, or several, or one of another version.
    """
    start = _block_of(bytes(binary))
    block = take(binary, start, BLOCK_SIZE, "loader settings")
    if HEADER.unpack_from(block)[1:] != (VERSION, 0):
        raise NotALoader(0)
    found: dict[bytes, list[bytes]] = {}
    for text in block[HEADER.size :].split(b"\0"):
        if not text:
            break
        found.setdefault(text[:1], []).append(text[1:])
    return LoaderSettings(
        directories=tuple(found.get(_DIRECTORY, ())),
        command=tuple(found.get(_COMMAND, ())),
        host_ldso=b"".join(found.get(_HOST_LDSO, ())[:1]),
        package_ldso=b"".join(found.get(_PACKAGE_LDSO, ())[:1]),
        host_prefixes=tuple(found.get(_HOST_PREFIX, ())),
        inside=b"".join(found.get(_INSIDE, ())[:1]),
        resident=b"".join(found.get(_RESIDENT, ())[:1]),
        exec_library=b"".join(found.get(_EXEC, ())[:1]),
        starter=b"".join(found.get(_STARTER, ())[:1]),
        other_starter=b"".join(found.get(_OTHER_STARTER, ())[:1]),
        generation=_number(b"".join(found.get(_GENERATION, ())[:1])),
        commands=b"".join(found.get(_COMMANDS, ())[:1]),
        library_paths=tuple(found.get(_LIBRARY_PATHS, ())),
        installed=_INSTALLED in found,
        brought=b"".join(found.get(_BROUGHT, ())[:1]),
        bundle=b"".join(found.get(_BUNDLE, ())[:1]),
        arguments=tuple(found.get(_ARGUMENT, ())),
        appimage=b"".join(found.get(_APPIMAGE, ())[:1]),
        layered=tuple(found.get(_LAYERED, ())),
        bound=_BOUND in found,
        nix_ld=_NIX_LD in found,
    )


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _block_of(binary: bytes) -> int:
    start = binary.find(MAGIC)
    count = binary.count(MAGIC)
    if count != 1 or start + BLOCK_SIZE > len(binary):
        raise NotALoader(count)
    return start
