"""The steps of `denizen-enter` before an emulator: for children of its program, and for what that misses.

Commands that the host lacks have loaders in their places, and a process answers for libraries and commands
that are missed (docs/decisions/0019). Children that are another architecture's too are given to the loader:
qemu-user hands execve to the kernel, which knows the file formats registered with binfmt_misc. From Linux
6.7 a user namespace may have entries of its own (fs/binfmt_misc.c): `denizen-enter` makes one, and registers
denizen's loader for the ELF headers of every architecture that qemu emulates. The loader then looks for the
child's decision, or has it made, as for children everywhere.
Format of an entry: Linux Documentation/admin-guide/binfmt-misc.rst.
"""

from __future__ import annotations

import os
import struct

from denizen.errors import HostLacks
from denizen.host import machine_name
from denizen.launch.decisions.decision_store import RESOURCE_TREES
from denizen.launch.resources.command_paths import executes_commands
from denizen.launch.strategies.namespace_plan import bind_resources
from denizen.launch.strategies.shown_resources import stand_ins
from denizen.machines import MACHINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart
    from denizen.machines import Machine

# gABI, ELF header: EI_CLASS and EI_DATA follow the magic; EI_OSABI and what comes after say nothing here.
_MAGIC, _VERSION, _IGNORED = b"\x7fELF", b"\1", 9
_ET_EXEC = 2
# ET_EXEC and ET_DYN differ in the lowest bit.
_ANY_TYPE = 0xFFFE
# Commands that come are shown there.
_SEARCH = (b"search", b"/usr/bin")


def steps_before(start: ProgramStart, base: Decision, *, answers: bool) -> tuple[bytes, ...]:
    """Return the words that have `denizen-enter` do what this kernel permits; () for nothing.

    The decision `base` lists the trees of packages. `answers`: the program may miss libraries while it runs.
    """
    from denizen.launch.namespace_probe import obstacle

    try:
        enter, children, commands = start.files.enter(), _child_steps(start), _command_steps(start, base)
        places = start.files.command_places() if commands else ()
    except HostLacks:
        return ()
    steps: tuple[bytes, ...] = ()
    for one in (children, commands):
        if one and not obstacle(enter, (*steps, *one)):
            steps = (*steps, *one)
    # Without a namespace of its own there is no place for a command.
    places = places if b"private" in steps else ()
    last = _answer_steps(start, places) if answers or places else ()
    if last and not obstacle(enter, (*steps, *last)):
        # Who searches PATH is to come by the places of commands.
        steps = (*steps, *(_SEARCH if places else ()), *last)
    # Who is refused it later goes without.
    return (enter, b"else", b"2", enter, b"--", *steps, b"--") if steps else ()


def _answer_steps(start: ProgramStart, places: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the words by which a process answers for what is missed in sysroots of this user's decisions."""
    children = start.files.children
    kept = dict.fromkeys((start.decision_store.directory, children.directory))
    return answer_words([os.path.join(one, RESOURCE_TREES, b"") for one in kept], children.command, places)


def answer_words(
    directories: Sequence[bytes], helper: Sequence[bytes], places: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """Return the words by which a process answers for sysroots in directories.

    `helper`: whom it asks; `places`: by what commands get their places (LoaderFiles.command_places).
    """
    lists = (directories, helper, places)
    return (b"answer", *(word for one in lists for word in (b"%d" % len(one), *one)))


def _child_steps(start: ProgramStart) -> tuple[bytes, ...]:
    """Return the words by which the kernel knows the loader for other architectures. Raises HostLacks."""
    loader, stage = start.files.plain_loader(), start.files.stage()
    lines = tuple(entries(machine_name(), loader))
    return () if b":" in loader else (b"interpret", stage, b"%d" % len(lines), *lines)


def _command_steps(start: ProgramStart, base: Decision) -> tuple[bytes, ...]:
    """Return the words by which commands that the host lacks have loaders in their places, or may get them.

    The kernel executes those: an emulator looks for no command in its sysroot. Raises HostLacks, OSError.
    """
    shown = stand_ins(start.program, start.files, base.objects)
    steps = bind_resources(start.program.view, shown, (), start.files.stage())
    objects = (start.program.path, *base.objects)
    return (b"private", *steps) if steps or executes_commands(start.program.view, objects) else ()


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
