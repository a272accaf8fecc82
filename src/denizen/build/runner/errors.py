"""Errors of builds that run programs: what the builder did, or what this machine refuses it (pure)."""

from __future__ import annotations

from denizen.errors import BadInput, HostLacks, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath


class BuildFailed(BadInput):
    """A builder failed, or was stopped.

    Attributes:
        name: the derivation's name.
        reason: what happened to the builder.
        said: the last lines it said.
        drv: the derivation.
        kept: where its directory was kept, b"" if it was not.
    """

    name: str
    reason: str
    said: tuple[bytes, ...]
    drv: StorePath
    kept: bytes
    WHAT = "the build of '{name}' failed"

    @property
    def why(self) -> str:
        lines = [self.reason, *(f"  > {display(_settled(line))}" for line in self.said)]
        if self.kept:
            lines.append(f"its directory is kept at {display(self.kept)}")
        return "\n".join(lines)

    @property
    def remedy(self) -> str:
        log = f"denizen log {self.drv}"
        return log if self.kept else f"{log}; --keep-failed keeps its directory"


def _settled(line: bytes) -> bytes:
    """Return a line as a terminal would show it at last: without colours, and as the last return left it."""
    # Imported for a failure alone.
    import re

    # Control sequences (ECMA-48, 5.4).
    pieces = re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]", b"", line).split(b"\r")
    return next((piece for piece in reversed(pieces) if piece.strip()), b"")


class BuilderNotStarted(BadInput):
    """A derivation's builder cannot be executed."""

    name: str
    reason: str
    WHAT = "the builder of '{name}' cannot be started"
    WHY = "{reason:text}"
    REMEDY = "--sandbox-path PATH shows a path of this machine in the sandbox"


class SandboxForbidden(HostLacks):
    """This machine does not allow what a sandbox is made of."""

    name: str
    reason: str
    WHAT = "no sandbox can be made to build '{name}'"
    WHY = "{reason:text}"
    REMEDY = "--no-sandbox builds without one: the builder then sees and can change all that you can"


class NotBuiltHere(HostLacks):
    """A derivation is for another kind of machine, or asks for what this one has not."""

    name: str
    reason: str
    WHAT = "the derivation '{name}' cannot be built here"
    WHY = "{reason:text}"


class NoOutput(BadInput):
    """A builder succeeded and left no output."""

    name: str
    output: bytes
    path: bytes
    WHAT = "the build of '{name}' has made no output '{output}'"
    WHY = "its builder ended well, but there is nothing at {path}"


class BadOutput(BadInput):
    """An output is not what its derivation says, or no object can be like it."""

    name: str
    output: bytes
    reason: str
    WHAT = "the output '{output}' of '{name}' cannot be stored"
    WHY = "{reason:text}"


class OutputHashMismatch(BadInput):
    """A fixed output has not the content that its derivation says."""

    name: str
    stated: str
    found: str
    WHAT = "the output of '{name}' has another hash than its derivation says"
    WHY = "stated {stated:text}, found {found:text}"
    REMEDY = "if the content is right, write the hash that was found into the derivation"


class NotReproducible(BadInput):
    """A second build of a derivation has another output than the first."""

    name: str
    output: StorePath
    differences: tuple[str, ...]
    kept: bytes
    WHAT = "the build of '{name}' is not reproducible"

    @property
    def why(self) -> str:
        lines = [f"{self.output} differs:", *(f"  {line}" for line in self.differences)]
        if self.kept:
            lines.append(f"the second output is kept at {display(self.kept)}")
        return "\n".join(lines)
