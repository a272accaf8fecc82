"""Children of an emulated program that are another architecture's too: the kernel gives them to the loader.

qemu-user hands execve to the kernel, which knows the file formats registered with binfmt_misc. From Linux
6.7 a user namespace may have entries of its own (fs/binfmt_misc.c): `denizen-enter` makes one, and registers
denizen's loader for the ELF headers of every architecture that qemu emulates. The loader then looks for the
child's decision, or has it made, as for children everywhere.
Format of an entry: Linux Documentation/admin-guide/binfmt-misc.rst.
"""

from __future__ import annotations

import struct

from denizen.errors import HostLacks
from denizen.host import machine_name
from denizen.machines import MACHINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.launch.strategies.base import ProgramStart
    from denizen.machines import Machine

# gABI, ELF header: EI_CLASS and EI_DATA follow the magic; EI_OSABI and what comes after say nothing here.
_MAGIC, _VERSION, _IGNORED = b"\x7fELF", b"\1", 9
_ET_EXEC = 2
# ET_EXEC and ET_DYN differ in the lowest bit.
_ANY_TYPE = 0xFFFE


def child_steps(start: ProgramStart) -> tuple[bytes, ...]:
    """Return the words that have `denizen-enter` register the loader; () where this kernel refuses it."""
    from denizen.launch.namespace_probe import obstacle

    try:
        loader, enter, stage = start.files.plain_loader(), start.files.enter(), start.files.stage()
    except HostLacks:
        return ()
    lines = tuple(entries(machine_name(), loader))
    steps = (b"interpret", stage, b"%d" % len(lines), *lines)
    if b":" in loader or obstacle(enter, steps):
        return ()
    # Who is refused it later goes without.
    return (enter, b"else", b"2", enter, b"--", *steps, b"--")


def entries(kernel: str, interpreter: bytes) -> Iterator[bytes]:
    """Yield a line for `register` for each architecture that is emulated on a kernel."""
    headers = {(one.e_machine, one.bits, one.little): one for one in MACHINES if one.is_emulated_on(kernel)}
    for machine in headers.values():
        magic, mask = map(_escaped, _header(machine))
        name = b"denizen-" + machine.qemu.encode("ascii")
        yield b":%b:M::%b:%b:%b:" % (name, magic, mask, interpreter)


def _header(machine: Machine) -> tuple[bytes, bytes]:
    """Return the first bytes of its programs, and which bits of them count."""
    order: tuple[bytes, bytes] = (b"\1", b"\2")
    start = _MAGIC + order[machine.bits == 64] + order[not machine.little] + _VERSION
    fields = struct.Struct("<HH" if machine.little else ">HH")
    magic, mask = fields.pack(_ET_EXEC, machine.e_machine), fields.pack(_ANY_TYPE, 0xFFFF)
    return start + bytes(_IGNORED) + magic, b"\xff" * len(start) + bytes(_IGNORED) + mask


def _escaped(content: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in content)
