"""The files of /boot: kernels and archives are copied there, and the entries of all generations written."""

from __future__ import annotations

import os

from denizen.errors import StoreDamaged
from denizen.formats import storepath
from denizen.store.errors import doing
from denizen.system.boot_entries import (
    ENTRIES,
    FILES,
    GRUB_CONF,
    LOADER_CONF,
    MAX_SIZE,
    BootEntry,
    BootFiles,
    plan_boot,
)
from denizen.system.initramfs import write_initramfs
from denizen.system.system_manifest import INIT, INITRD, KERNEL
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.store.local import Store
    from denizen.system.boot_entries import BootPlan
    from denizen.system.system_manifest import SystemBoot
    from denizen.system.system_tree import SystemGeneration
    from denizen.system.target_root import TargetRoot

_MAX_ENTRIES = 10_000


class NoKernel(StoreDamaged):
    """The error that a generation lacks a file that it boots by."""

    path: bytes
    WHAT = "{path} leads to no object of the store"


class Bootable(Value):
    """A generation with its number, and its entry of /boot."""

    generation: SystemGeneration
    entry: BootEntry


def bootable(generations: Sequence[tuple[int, SystemGeneration]], inside: bytes) -> tuple[Bootable, ...]:
    """Return the generations that can be booted; `inside` is the path of the store in the target.

    Raises NoKernel.
    """
    return tuple(
        Bootable(one, _entry(number, one, one.manifest.boot, inside))
        for number, one in generations
        if one.manifest.boot is not None
    )


def _entry(number: int, one: SystemGeneration, boot: SystemBoot, inside: bytes) -> BootEntry:
    tree = b"/" + inside + b"/" + one.path.base.encode()
    script = os.fsdecode(tree + b"/" + INIT.encode())
    # An archive of the closure is the root itself, where the kernel takes rdinit=; another one mounts a root.
    first = f"rdinit={script}" if boot.initrd == "" else f"init={script}"
    if boot.initrd is None:
        initrd = b""
    elif boot.initrd:
        initrd = _object(one, INITRD) + b"-initrd"
    else:
        initrd = one.path.digest.encode() + b"-initrd"
    kernel = _object(one, KERNEL) + b"-linux"
    options = " ".join((first, *boot.options))
    return BootEntry(one.manifest.name, number, kernel, initrd, options, boot.loaders)


def _object(one: SystemGeneration, name: str) -> bytes:
    place = os.path.join(one.tree, name.encode())
    try:
        return storepath.from_base(os.path.basename(os.readlink(place))).digest.encode()
    except (OSError, storepath.BadStorePath) as problem:
        raise NoKernel(place) from problem


def boot_plan(root: TargetRoot, found: Sequence[Bootable], default: int | None) -> BootPlan:
    """Return what is to be written in /boot. Raises DiskFailed."""
    with doing("read", root.shown(b"boot")):
        return plan_boot([one.entry for one in found], default, _observed(root))


def _observed(root: TargetRoot) -> BootFiles:
    names = root.names(ENTRIES)[:_MAX_ENTRIES]
    entries = [
        (name, root.read(ENTRIES + b"/" + name, MAX_SIZE) or b"")
        for name in names
        if name.startswith(b"denizen-") and name.endswith(b".conf")
    ]
    loader, grub = (root.read(place, MAX_SIZE) or b"" for place in (LOADER_CONF, GRUB_CONF))
    return BootFiles(tuple(entries), loader, grub, tuple(root.names(FILES)))


def write_boot(
    root: TargetRoot, store: Store, found: Sequence[Bootable], plan: BootPlan, inside: bytes
) -> None:
    """Copy what the entries name, write them, then remove what none names any more. Raises DiskFailed."""
    with doing("write", root.shown(b"boot")):
        if found:
            root.make_directory(FILES)
        for one in found:
            _copy(root, store, one, inside)
        for path, content in plan.writes:
            root.make_directory(os.path.dirname(path))
            if content:
                root.write(path, content, 0o644)
            else:
                root.remove(path)
        for path in plan.removals:
            root.remove(path)


def _copy(root: TargetRoot, store: Store, one: Bootable, inside: bytes) -> None:
    entry, tree = one.entry, one.generation.tree
    for name, source in ((entry.kernel, KERNEL), (entry.initrd, INITRD)):
        place = FILES + b"/" + name
        # A file there is whole, and what its name says: written under another name, synced, renamed.
        if not name or root.facts(place) is not None:
            continue
        boot = one.generation.manifest.boot
        if source == INITRD and boot is not None and boot.initrd == "":
            content = b"".join(map(bytes, write_initramfs(store, one.generation, inside)))
        else:
            with open(os.path.join(tree, source.encode()), "rb") as stream:
                content = stream.read()
        root.write(place, content, 0o644)
