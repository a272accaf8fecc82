"""Short texts of hosts, caches and projects: keys, handlers, sidecars, boot files, tables."""

import io
import json
from collections.abc import Callable, Sequence

from denizen import binfmt_misc
from denizen.fhs.trigger_rules import read_rules
from denizen.formats.mountinfo import read_mountinfo
from denizen.formats.signature import parse_public, parse_secret
from denizen.formats.storepath import StorePath
from denizen.launch.joined_libraries import links_of, table_of
from denizen.launch.loader.loader_settings import (
    BLOCK_SIZE,
    HEADER,
    MAGIC,
    LoaderSettings,
    configure_loader,
    settings_of,
)
from denizen.nar import listing
from denizen.profiles.project_profile import read_project_profile
from denizen.profiles.summary import read_summary
from denizen.store import sidecar
from denizen.store.object_info import ObjectInfo
from denizen.system.boot_entries import BootEntry, grub_conf, loader_conf
from denizen.system.spec import Bootloader
from fuzz.driver import Target
from fuzz.formats import NAR_TOKENS, large_nars, nars

_PATH = StorePath("0" * 32, "object")
_ENTRY = BootEntry("box", 3, b"linux", b"initrd", "root=/dev/vda", (Bootloader.BLS, Bootloader.GRUB))

_RULES = b"""[base]
packages = ["a"]
foreign = []
locales = ["C"]
[[link]]
path = ["/a/b"]
target = "{name}"
[[copy]]
path = "a"
source = "b"
[[trigger]]
name = "t"
when = "a"
run = ["x"]
writes = []
"""


def _as_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _read_sidecar(data: bytes) -> None:
    try:
        found = sidecar.read(data, _PATH)
    except sidecar.BadSidecar:
        return
    assert sidecar.read(sidecar.write(found), _PATH) == found


def _sidecars() -> Sequence[bytes]:
    info = ObjectInfo(_PATH, bytes(32), 10, (_PATH,), _PATH, ("key:x",), 5, "text:sha256:x")
    return [sidecar.write(info), sidecar.write(ObjectInfo(_PATH, bytes(32), 10))]


def _list_nar(data: bytes) -> None:
    json.dumps(listing.document(io.BytesIO(data)))


def _read_boot_files(data: bytes) -> None:
    """Put denizen's entries into both configurations twice: the second time changes nothing."""
    once = loader_conf(data, _ENTRY)
    assert loader_conf(once, _ENTRY) == once
    block = grub_conf(data, [_ENTRY], _ENTRY)
    assert grub_conf(block, [_ENTRY], _ENTRY) == block
    grub_conf(block, [], None)


def _boot_files() -> Sequence[bytes]:
    grub = grub_conf(b"set timeout=5\n", [_ENTRY], _ENTRY)
    return [b"title Debian\nlinux /vmlinuz\n# note\noptions quiet\n", b"timeout 3\ndefault x.conf\n", grub]


def _read_binfmt_misc(data: bytes) -> None:
    for handler in (binfmt_misc.read_handler(data), binfmt_misc.read_declaration(data)):
        if handler is not None:
            handler.takes(b"/usr/bin/x.jar", data)


def _settings() -> Sequence[bytes]:
    binary = b"\x7fELF" + HEADER.pack(MAGIC, 1, 0).ljust(BLOCK_SIZE, b"\0") + b"rest"
    return [binary, configure_loader(binary, LoaderSettings((b"/x",), (b"python3", b"-I"), b"/ld.so"))]


TARGETS: dict[str, Target] = {
    "public-key": Target(
        _as_text(parse_public), lambda: [b"cache.example-1:" + b"A" * 43 + b"="], tokens=(b":",)
    ),
    "secret-key": Target(_as_text(parse_secret), lambda: [b"k:" + b"A" * 86 + b"=="], tokens=(b":",)),
    "binfmt-misc": Target(
        _read_binfmt_misc,
        lambda: [
            b"enabled\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 0\nmagic 7f454c46\nmask ffffff00\n",
            b"enabled\ninterpreter /usr/bin/jexec\nextension .jar\n",
            b"package j\ninterpreter /usr/bin/jarwrapper\nmagic PK\\x03\\x04\nmask \\xff\\xff\\xff\\xff\n",
        ],
        tokens=(b"enabled\n", b"magic ", b"mask ", b"offset ", b"9" * 5000),
    ),
    "joined-libraries": Target(
        lambda data: links_of(data, b"/store/x"),
        lambda: [table_of(b"/store/x", {b"liba.so.1": b"/a", b"libb.so.1": b"/b"})],
        lambda: [table_of(b"/store/x", {b"lib%d.so" % n: b"/x" for n in range(9_000)})],
        (b"\0", b"/store/x\0", b"\xff" * 4),
    ),
    # Read, written and read again.
    "sidecar": Target(
        _read_sidecar,
        _sidecars,
        lambda: [_sidecars()[1].replace(b"end\n", b"signature: a:b\n" * 50_000 + b"end\n")],
        (b"\n", b": ", b"reference: ", b"signature: ", b"end\n", b"sha256:"),
        time=2,
    ),
    "nar-listing": Target(_list_nar, nars, large_nars, NAR_TOKENS),
    "boot-files": Target(
        _read_boot_files,
        _boot_files,
        lambda: [
            b"### begin of denizen's entries\n" * 30_000,
            b"default\n" * 100_000,
            b"\rdefaul b" * 100_000,
        ],
        (
            b"### begin of denizen's entries",
            b"### end of denizen's entries\n",
            b'set default="x"\n',
            b"default ",
        ),
    ),
    "mountinfo": Target(
        read_mountinfo,
        lambda: [b"36 35 98:0 /a\\040b /mnt\\134x rw,noatime master:1 - ext3 /dev/root rw\n"],
        lambda: [b"1 2 3:4 / " + b"\\040" * 200_000 + b" rw - a b c\n", b"1 2 3 4 5 6 - 7 8\n" * 30_000],
        (b" - ", b"\\040", b"\\777", b"\n", b" "),
    ),
    "trigger-rules": Target(
        read_rules,
        lambda: [_RULES],
        tokens=(b"[[link]]\n", b"[[text]]\n", b"path = ", b"replace = 1", b'"', b"[", b"]", b"\n"),
    ),
    "project-profile": Target(
        lambda data: read_project_profile(data, "/x/denizen.toml"),
        lambda: [b'[profile]\npackages = ["jq"]\nsuite = "stable"\nname = "work"\n'],
        tokens=(b"[profile]\n", b'"', b"[", b"]", b"\n", b"packages = ", b"\xff"),
    ),
    # A line of twelve bytes is a row of six fields: 80 ms for 720 KB, of which nothing is repeated.
    "profile-summary": Target(
        read_summary,
        lambda: [b"jq\t1.7\tdebian/trixie\t100\t5\t1\nx\t\xff\t\t0\t0\t0\n"],
        lambda: [b"a\t1\td\t9\t5\t0\n" * 60_000],
        (b"\t", b"\n", b"9" * 5000),
        time=2,
    ),
    "loader-settings": Target(settings_of, _settings, tokens=(MAGIC, b"\0", b"g9", b"D/x\0")),
}
