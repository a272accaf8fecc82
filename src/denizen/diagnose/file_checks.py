"""Checks of the file itself: its mount, its mode, its completeness (pure).

Each takes a `ProgramFacts` and yields problems; `examine.CHECKS` has their order.
"""

from __future__ import annotations

from denizen.diagnose.problem import error, note, warning
from denizen.elf.constants import PT_LOAD
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import ProgramFacts

S_ISUID, S_ISGID = 0o4000, 0o2000


def execute_permission(subject: ProgramFacts) -> Iterator[Problem]:
    """Check the mode bits: a file that a browser has downloaded has no execute permission."""
    if not subject.placement.executable:
        name = display(subject.path)
        yield error(
            "not-executable",
            f"{name} has no execute permission for this user, so starting it fails with 'Permission denied'",
            f"chmod +x {shell_word(subject.path)}",
        )


def handler(subject: ProgramFacts) -> Iterator[Problem]:
    """Report a handler of binfmt_misc, which the kernel consults before it looks for ELF or `#!`."""
    yield note(
        "handled",
        f"the kernel gives it to {display(subject.placement.handler)} (binfmt_misc), whatever it is itself",
    )


def noexec_mount(subject: ProgramFacts) -> Iterator[Problem]:
    """Check the mount: with noexec, execve fails whatever the mode bits are, as does mapping a library."""
    if subject.placement.noexec:
        yield error(
            "noexec-mount",
            f"{display(subject.path)} is on a file system mounted noexec; nothing there can be started",
            "copy it to a directory on another file system, for instance one in your home directory",
        )


def segments(subject: ProgramFacts) -> Iterator[Problem]:
    """Check that an ELF program has a segment to load: execve(2) says ENOEXEC, qemu "Invalid ELF image"."""
    image = subject.image
    if image is not None and not any(segment.type == PT_LOAD for segment in image.segments):
        yield error(
            "damaged",
            f"{display(subject.path)} has no segment that could be loaded, so there is nothing to start",
            "download it again",
        )


def set_user_id(subject: ProgramFacts) -> Iterator[Problem]:
    """Report secure-execution mode (ld.so(8)) of a set-user-ID or set-group-ID program."""
    bits = subject.stat.mode & (S_ISUID | S_ISGID)
    if not bits or subject.placement.nosuid:
        return
    which = "set-user-ID" if bits & S_ISUID else "set-group-ID"
    yield warning(
        "secure-execution",
        f"it is {which}: started by another user it ignores LD_LIBRARY_PATH and most of LD_PRELOAD, and "
        "denizen will not start it with libraries that user chose",
    )


def wholeness(subject: ProgramFacts) -> Iterator[Problem]:
    """Check that no segment reaches past the end of the file, as after an interrupted download."""
    image = subject.classification.image
    if image is None:
        return
    wanted = max(
        (s.offset + s.file_size for s in image.segments if s.type == PT_LOAD and s.file_size),
        default=0,
    )
    size = subject.stat.size
    if wanted > size:
        yield error(
            "file-cut-short",
            f"the file ends too early: {size:,} bytes are here, its own table of contents needs {wanted:,}",
            "download or copy it again, and compare its checksum with the publisher's",
        )


def payload(subject: ProgramFacts) -> Iterator[Problem]:
    """Report data appended to the program: tools that rewrite ELF files destroy or detach it."""
    found = subject.payload
    if found is not None:
        kind = f" ({found.kind})" if found.kind else ""
        yield note(
            "appended-payload",
            f"{found.size:,} bytes of data are appended to the program{kind}; it finds them through its own "
            "file, so stripping or patching it would break it",
        )
