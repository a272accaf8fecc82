"""Boot entries of generations: the Boot Loader Specification's, and GRUB's (pure).

Specifications: uapi-group.org/specifications/specs/boot_loader_specification, type #1; loader.conf(5) of
systemd-boot; GRUB's manual, "menuentry". Debian's and most others' grub.cfg reads /boot/grub/custom.cfg, in
which the entries are a block of their own; the lines around it are the administrator's.
"""

from __future__ import annotations

import re

from denizen.system.spec import Bootloader
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SIZE = 1 << 20
ENTRIES, LOADER_CONF = b"boot/loader/entries", b"boot/loader/loader.conf"
GRUB_CONF = b"boot/grub/custom.cfg"
# Kernels and archives, named by the store objects that they are from.
FILES = b"boot/denizen"
_BEGIN, _END = b"### begin of denizen's entries", b"### end of denizen's entries"
_OURS = re.compile(rb"denizen-[A-Za-z0-9+._-]{1,64}-generation-[0-9]{1,9}\.conf\Z")


class BootEntry(Value):
    """A generation that can be booted.

    Attributes:
        system: the system's name.
        kernel, initrd: names in /boot/denizen; initrd b"" for none.
        options: the whole command line.
    """

    system: str
    number: int
    kernel: bytes
    initrd: bytes
    options: str
    loaders: tuple[Bootloader, ...]

    @property
    def identifier(self) -> str:
        """The name by which boot loaders know it."""
        return f"denizen-{self.system}-generation-{self.number}"

    @property
    def title(self) -> str:
        """The words in the menu."""
        return f"{self.system}, generation {self.number} (denizen)"


class BootPlan(Value):
    """The files of /boot; `writes` in their order, the choice of the default last.

    Attributes:
        writes: path and content; b"" for a file that is removed.
        removals: files that belong to no generation any more.
    """

    writes: tuple[tuple[bytes, bytes], ...] = ()
    removals: tuple[bytes, ...] = ()


class BootFiles(Value):
    """The files of /boot as they are: entries by name, and the two configurations."""

    entries: tuple[tuple[bytes, bytes], ...] = ()
    loader: bytes = b""
    grub: bytes = b""
    files: tuple[bytes, ...] = ()


def plan_boot(entries: Sequence[BootEntry], default: int | None, found: BootFiles) -> BootPlan:
    """Return what makes the entries of /boot these, with a default; what is right already is left out.

    `entries` are of all generations; `default` None leaves the choice as it is.
    """
    bls = [one for one in entries if Bootloader.BLS in one.loaders]
    grub = [one for one in entries if Bootloader.GRUB in one.loaders]
    wanted = {b"%b.conf" % one.identifier.encode(): bls_text(one) for one in bls}
    have = dict(found.entries)
    writes = [(ENTRIES + b"/" + name, text) for name, text in wanted.items() if have.get(name) != text]
    chosen = next((one for one in entries if one.number == default), None)
    loader = loader_conf(found.loader, chosen if chosen in bls else None)
    custom = grub_conf(found.grub, grub, chosen if chosen in grub else None)
    if custom != found.grub:
        writes.append((GRUB_CONF, custom))
    if loader != found.loader:
        writes.append((LOADER_CONF, loader))
    used = {one.kernel for one in entries} | {one.initrd for one in entries}
    stale = [ENTRIES + b"/" + name for name in have if _OURS.match(name) and name not in wanted]
    spare = [FILES + b"/" + name for name in found.files if name not in used]
    return BootPlan(tuple(writes), (*stale, *spare))


def bls_text(one: BootEntry) -> bytes:
    """Return the file of an entry of the Boot Loader Specification."""
    rows = [
        ("title", one.title),
        ("version", str(one.number)),
        ("sort-key", f"denizen-{one.system}"),
        ("linux", "/denizen/" + one.kernel.decode()),
        *([("initrd", "/denizen/" + one.initrd.decode())] if one.initrd else []),
        ("options", one.options),
    ]
    return "".join(f"{key} {text}\n" for key, text in rows).encode()


def loader_conf(text: bytes, chosen: BootEntry | None) -> bytes:
    """Return loader.conf with the default replaced, its other lines as they are."""
    if chosen is None:
        return text
    line = f"default {chosen.identifier}.conf\n".encode()
    lines = text.splitlines(keepends=True)
    rest = [one for one in lines if b"default" not in one or one.split(None, 1)[:1] != [b"default"]]
    return line + b"".join(rest)


def grub_conf(text: bytes, entries: Sequence[BootEntry], chosen: BootEntry | None) -> bytes:
    """Return custom.cfg with the block of these entries replaced, its other lines as they are."""
    before, own, after = _parted(text)
    if not entries:
        return before + after
    default = chosen.identifier.encode() if chosen else _default_in(own)
    lines = [_BEGIN, *(_grub_entry(one) for one in reversed(entries))]
    if default:
        lines.append(b'set default="%b"' % default)
    block = b"\n".join([*lines, _END]) + b"\n"
    if own:
        return before + block + after
    return text + (b"\n" if text and not text.endswith(b"\n") else b"") + block


def _parted(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Return custom.cfg as what is before the block, the block, and what is after it.

    A line that begins a block which nothing ends, as in a file that was cut short, is none of it: the
    administrator's lines follow it.
    """
    last = text.find(_END, text.find(_BEGIN)) if _BEGIN in text else -1
    if last < 0:
        return text, b"", b""
    start = text.rfind(_BEGIN, 0, last)
    end = last + len(_END)
    end += text[end : end + 1] == b"\n"
    return text[:start], text[start:end], text[end:]


def _default_in(block: bytes) -> bytes:
    found = re.search(rb'^set default="([A-Za-z0-9+._-]+)"$', block, re.MULTILINE)
    return found[1] if found else b""


def _grub_entry(one: BootEntry) -> bytes:
    kernel, initrd = one.kernel.decode(), one.initrd.decode()
    lines = [
        f"menuentry '{one.title}' --id {one.identifier} {{",
        # /boot is a file system of its own, or a directory of the root's.
        f"  if search --no-floppy --set=root --file /denizen/{kernel}; then set denizen=/denizen",
        f"  else search --no-floppy --set=root --file /boot/denizen/{kernel}; set denizen=/boot/denizen; fi",
        f"  linux $denizen/{kernel} {one.options}",
        *([f"  initrd $denizen/{initrd}"] if initrd else []),
        "}",
    ]
    return "\n".join(lines).encode()
