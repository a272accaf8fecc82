"""Checks, by trial, of the features that this host offers for program starts, as rows for `doctor`."""

from __future__ import annotations

import contextlib
import os

from denizen.errors import HostLacks, display
from denizen.launch.host_view import loader_at
from denizen.launch.namespace_probe import obstacle
from denizen.launch.strategies.emulated_children import answer_words
from denizen.launch.strategies.namespace_plan import InterpreterMount, mount_point_for, operations
from denizen.machines import interpreter_of_kernel
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.fileview import FileView
    from denizen.launch.loader.configured_tools import Tools

_SECCOMP = {"0": "none", "1": "strict", "2": "a filter is in force"}


class Finding(Value):
    """The result of one check.

    Attributes:
        name: a word for --json; it does not change.
        good: whether the result is favourable to denizen; None where it makes no difference.
        detail: the result in words.
        consequence: the effect on denizen's behaviour, "" for none.
    """

    name: str
    good: bool | None
    detail: str
    consequence: str = ""


class Examined(Value):
    """The subjects of the checks: the file system, denizen's tools and directories, and emulators."""

    view: FileView
    tools: Tools
    store: bytes
    state: bytes
    emulators: tuple[bytes, ...] = ()


def examine_host(what: Examined) -> Iterator[Finding]:
    """Yield all findings in the order in which they are printed."""
    for check in CHECKS:
        with contextlib.suppress(OSError):
            yield from check(what)


def _loader(what: Examined) -> Iterator[Finding]:
    try:
        what.tools.enter()
    except HostLacks as problem:
        yield Finding("loader", good=False, detail=str(problem), consequence=problem.remedy)
        return
    yield Finding("loader", good=True, detail="this denizen has its loader")


def _interpreter(what: Examined) -> Iterator[Finding]:
    path = interpreter_of_kernel(what.tools.machine)
    settings = loader_at(what.view, path)
    if settings is not None:
        beneath = f", over {display(settings.host_ldso)}" if settings.host_ldso else ""
        yield Finding("interpreter", good=True, detail=f"{display(path)} is denizen's loader{beneath}")
        return
    there = os.path.exists(path)
    detail = f"{display(path)} is " + ("this host's own" if there else "not there")
    consequence = "" if there else "denizen loader install would let programs start by themselves"
    yield Finding("interpreter", good=None, detail=detail, consequence=consequence)


def _namespace(what: Examined) -> Iterator[Finding]:
    path = interpreter_of_kernel(what.tools.machine)
    mount_point = mount_point_for(what.view, path)
    try:
        enter = what.tools.enter()
    except HostLacks:
        return
    steps = operations(
        [InterpreterMount(mount_point, enter, what.tools.hidden(mount_point.path))], what.tools.stage()
    )
    problem = obstacle(enter, steps)
    if problem:
        yield Finding("namespace", good=False, detail=problem, consequence="patched copies (stub) instead")
    else:
        yield Finding("namespace", good=True, detail="a mount namespace of our own can be made")


def _directories(what: Examined) -> tuple[tuple[str, bytes], ...]:
    # The checks only read these directories.
    return ("store", what.store), ("state", what.state), ("tmp", b"/tmp")  # see above


def _noexec(what: Examined) -> Iterator[Finding]:
    for name, directory in _directories(what):
        place = _existing(directory)
        noexec = bool(os.statvfs(place).f_flag & os.ST_NOEXEC)
        writable = os.access(place, os.W_OK)
        words = [
            display(directory),
            "noexec: nothing there can be executed" if noexec else "can be executed from",
        ]
        if not writable:
            words.append("and cannot be written")
        consequence = "--root DIR elsewhere" if noexec and name != "tmp" else ""
        good = None if name == "tmp" else not noexec
        yield Finding(f"{name}-directory", good=good, detail=" ".join(words), consequence=consequence)


def _seccomp(_: Examined) -> Iterator[Finding]:
    with open("/proc/self/status", encoding="ascii", errors="replace") as stream:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
    mode = _SECCOMP.get(fields.get("Seccomp", ""), "not told by this kernel")
    yield Finding("seccomp", good=None, detail=mode)
    if fields.get("NoNewPrivs", "0") == "1":
        yield Finding("no-new-privileges", good=None, detail="set-user-ID programs have no power here")


def _fuse(_: Examined) -> Iterator[Finding]:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC))
    except OSError as problem:
        yield Finding(
            "fuse", good=None, detail=f"/dev/fuse: {problem.strerror}", consequence="nothing needs it"
        )
        return
    yield Finding("fuse", good=None, detail="/dev/fuse can be opened")


def _drivers(_: Examined) -> Iterator[Finding]:
    if os.path.exists("/proc/driver/nvidia/version"):
        yield Finding("gpu", good=None, detail="NVIDIA's driver: its libraries must be the host's")
    elif os.path.isdir("/dev/dri"):
        yield Finding("gpu", good=None, detail="/dev/dri: Mesa's drivers serve it")
    else:
        yield Finding("gpu", good=None, detail="none: programs draw in software")


def _emulators(what: Examined) -> Iterator[Finding]:
    found = [display(os.path.basename(path)) for path in what.emulators]
    detail = ", ".join(found) if found else "none of qemu-user's here"
    consequence = "" if found else "fetched for the first program of another machine"
    yield Finding("emulators", good=None, detail=detail, consequence=consequence)


def _answers(what: Examined) -> Iterator[Finding]:
    """Yield whether what an emulated program misses can be answered (docs/decisions/0019)."""
    try:
        enter = what.tools.enter()
    except HostLacks:
        return  # said already
    refusal = obstacle(enter, answer_words((os.path.join(what.state, b""),), (enter,)))
    detail = refusal or "what they open while they run is brought"
    consequence = "nothing is brought while such a program runs: --with NAME does before" if refusal else ""
    yield Finding("emulated", good=None, detail=detail, consequence=consequence)


def _existing(path: bytes) -> bytes:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


CHECKS: tuple[Callable[[Examined], Iterator[Finding]], ...] = (
    _loader, _interpreter, _namespace, _noexec, _seccomp, _fuse, _drivers,
    _emulators, _answers,
)  # fmt: skip
