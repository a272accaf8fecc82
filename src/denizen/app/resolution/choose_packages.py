"""The choice of packages for a program: by a lock file, by resolving, or to extend this host's libraries."""

from __future__ import annotations

from denizen.app.library_path import elements_of
from denizen.app.resolution.earlier_runs import asked_by
from denizen.app.resolution.extra_inputs import extra_for
from denizen.resolve.host_addition_check import brings, is_sound, loses, still_lacking
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.program import Program
    from denizen.linker import Environment
    from denizen.resolve.resolution import Resolution


class PackageChooser(Value):
    """One program with the options of its start, for which packages are chosen.

    Attributes:
        program: the program.
        added: paths of further objects that it opens at run time.
    """

    session: Session
    program: Program
    wanted: RunRequest
    added: tuple[bytes, ...]

    def resolved(self, host: Environment | None = None) -> Resolution:
        """Return the resolution in the lock file if one was given, else that of resolving the program.

        With `host`, packages are chosen to work together with the host's own libraries.

        Raises:
            BadLock, ForeignLock: the lock file is malformed, or another program's.
            SourceFailed, HostLacks, BadInput: something cannot be fetched, used or read.
        """
        from denizen.app.resolution.resolve_program import resolve_path
        from denizen.sources.fetch_policy import FetchPolicy

        program, wanted = self.program.path, self.wanted
        if wanted.lock is not None:
            return self._locked(wanted.lock)
        # Names with a slash are left out: `added` already holds the objects found at those paths.
        names = [name for name in extra_for(program, wanted) if b"/" not in name]
        names += asked_by(self.session, program)
        policy = FetchPolicy(offline=wanted.offline)
        given = elements_of(wanted.library_path)
        extra = [*names, *self.added]
        return resolve_path(self.session, program, policy, wanted.suites, extra, given=given, host=host)

    def improved(self, host: Environment, lacking: Collection[bytes]) -> Resolution | None:
        """Return packages with the libraries that this host lacks for a program that starts here.

        Return None if there is none.

        `lacking` are the sonames that are missing. A complete foreign set of libraries is chosen only if the
        host's cannot be extended, and only if it has every library that the program now takes from the host.
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
        from denizen.disk import open_regular
        from denizen.resolve.lock import MAX_SIZE, parse
        from denizen.resolve.lock_check import must_apply
        from denizen.resolve.rule_packs import load_rules

        with open(lock, "rb", opener=open_regular) as stream:
            resolution = parse(stream.read(MAX_SIZE + 1))
        must_apply(resolution, self.program.view, self.program.path, load_rules())
        return resolution
