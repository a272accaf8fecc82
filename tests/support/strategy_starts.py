"""Starts for strategies to be asked about: a program in a directory, on a host that refuses or permits."""

from pathlib import Path
from typing import cast

from denizen.disk_view import DiskView
from denizen.fhs.entry_command import Inside
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_store import DecisionStore
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.program import Program, open_program
from denizen.launch.strategies.base import HostFindings, ProgramStart
from denizen.launch.strategies.loader_files import ChildDecisions, LoaderFiles
from denizen.launch.strategies.namespace_mounts import NamespaceMounts
from denizen.value import replace

REFUSED = "unshare: this host forbids it (EPERM)"


class PermittedMounts:
    """A namespace that the kernel permits, or refuses for a reason."""

    def __init__(self, refusal: str = "") -> None:
        self._refusal = refusal

    def obstacle(self) -> str:
        return self._refusal

    def steps(self, base: Decision) -> tuple[bytes, ...]:
        return (b"private", *base.objects)


class ReadyFiles(LoaderFiles):
    """denizen's files, made already: no compiled one is needed."""

    def enter(self) -> bytes:
        return b"/tools/denizen-enter"

    def inside(self) -> bytes:
        return b"/tools/denizen-inside"

    def hidden(self, linker: bytes) -> bytes:
        return b"/tools/host-" + linker.rpartition(b"/")[2]

    def plain_loader(self) -> bytes:
        return self.directory + b"/denizen-loader"

    def bound_loader(self, machine: str, host_ldso: bytes, package_ldso: bytes = b"") -> bytes:  # noqa: ARG002  # as LoaderFiles has it
        return b"/tools/bound-loader"


class PackagedSupplier:
    """An environment that is made already, and a decision for packages."""

    def __init__(self, tree: bytes, base: Decision) -> None:
        self._tree = tree
        self._base = base

    def environment(self) -> Inside:
        return Inside(self._tree, b"/tools/denizen-enter", b"/tools/stage")

    def packaged(self) -> Decision:
        return replace(self._base, host=False)

    def opened(self, base: Decision, around: Inside) -> bytes:  # noqa: ARG002  # as StartSupplier has it
        return b""

    def emulator(self, base: Decision) -> bytes:  # noqa: ARG002  # as StartSupplier has it
        return b"/usr/bin/qemu-other"


def start_of(
    place: Path,
    content: bytes,
    findings: HostFindings,
    *,
    refusal: str = "",
    interpreter: bytes | None = None,
) -> ProgramStart:
    """Return the start of a program with this content, in a directory of its own below `place`."""
    home = place / "app" / "bin"
    home.mkdir(parents=True)
    path = home / "program"
    path.write_bytes(content)
    path.chmod(0o755)
    program = open_program(DiskView(), bytes(path))
    return start_with(
        place, replace(program, interpreter=interpreter or program.interpreter), findings, refusal
    )


def start_with(place: Path, program: Program, findings: HostFindings, refusal: str = "") -> ProgramStart:
    """Return the start of a program whose decision and environment are below `place`."""
    decision_store = DecisionStore(bytes(place / "decisions"), b"test")
    (place / "decisions").mkdir()
    children = ChildDecisions((b"denizen", b"decide"), decision_store.directory)
    files = ReadyFiles(program, decision_store.directory, bytes(place / "state"), children)
    tree = place / "tree"
    (tree / "usr" / "lib64").mkdir(parents=True)
    supplier = PackagedSupplier(bytes(tree), decision_of_host(program))
    mounts = cast("NamespaceMounts", PermittedMounts(refusal))
    return ProgramStart(program, decision_store, files, mounts, findings, supplier)
