"""Which packages a program gets: by a lock, by resolving, or to go with this host's own libraries."""

from __future__ import annotations

from denizen.app.extra_inputs import asked_by, extra_for
from denizen.app.library_path import elements_of
from denizen.resolve.host_extension import brings, is_sound, loses, still_lacking
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.fileview import FileView
    from denizen.linker import Environment
    from denizen.resolve.resolution import Resolution


@value
class Choosing:
    """One program, and what it is started with.

    Attributes:
        added: objects that it opens besides.
    """

    session: Session
    view: FileView
    program: bytes
    wanted: RunRequest
    added: tuple[bytes, ...]

    def resolved(self, host: Environment | None = None) -> Resolution:
        """Return what the lock says, or what resolving finds; with `host`, to go with its libraries.

        Raises:
            BadLock, ForeignLock: the lock is not usable, or another program's.
            SourceFailed, HostLacks, BadInput: something cannot be had, or not be read.
        """
        from denizen.app.resolve_program import resolve_path
        from denizen.sources.fetcher import FetchPolicy

        wanted = self.wanted
        if wanted.lock is not None:
            return self._locked(wanted.lock)
        # The objects themselves: what is a whole site-packages has been gone through once already.
        names = [name for name in extra_for(self.program, wanted) if b"/" not in name]
        names += asked_by(self.session, self.program)
        policy = FetchPolicy(offline=wanted.offline)
        given = elements_of(wanted.library_path)
        extra = [*names, *self.added]
        return resolve_path(self.session, self.program, policy, wanted.suites, extra, given=given, host=host)

    def improved(self, host: Environment, lacking: Collection[bytes]) -> Resolution | None:
        """Return what a program that starts here gets for what this host lacks; None for nothing.

        Another world is taken only where this one cannot be extended and nothing that works here is lost.
        """
        extension = self.resolved(host)
        if brings(extension, lacking):
            return extension
        other = self.resolved()
        more = len(still_lacking(other, lacking)) < len(still_lacking(extension, lacking))
        better = more or not is_sound(extension)
        if better and is_sound(other) and other.interpreter is not None and not loses(other, lacking):
            return other
        return extension if is_sound(extension) and extension.packages else None

    def _locked(self, lock: str) -> Resolution:
        from denizen.resolve.applicable import must_apply
        from denizen.resolve.lock import parse
        from denizen.resolve.rule_packs import load_rules

        with open(lock, "rb") as stream:
            resolution = parse(stream.read())
        must_apply(resolution, self.view, self.program, load_rules())
        return resolution
