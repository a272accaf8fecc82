"""Opening and checking candidate files, common to the searches of glibc and musl (pure over a FileView).

A `Search` holds the view and the working directory, caches which directories exist (so a missing one
costs one stat, not one per library), and records the paths tried.
"""

from __future__ import annotations

import errno

from denizen.elf.image import read
from denizen.errors import BadInput
from denizen.fileview import FileKind
from denizen.linker.open_verify import check_image, head_of
from denizen.linker.rule_tables import Reason
from denizen.linker.search_results import FoundObject, SearchAttempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.linker.open_verify import VerifyTarget
    from denizen.linker.rule_tables import LinkerRule

# Reasons after which the search goes on (open_verify returns -1 with ENOENT, or open_path moves on).
PASSED_OVER = frozenset(
    {
        Reason.ABSENT, Reason.NO_DIRECTORY, Reason.UNREADABLE, Reason.WRONG_CLASS, Reason.WRONG_MACHINE,
        Reason.NEWER_KERNEL, Reason.NOT_SETUID, Reason.NODEFLIB, Reason.UNEXPANDED, Reason.STOPPED,
        Reason.TOO_LONG,
    }
)  # fmt: skip
# errno of open(2) -> reason for refusing the file. Others end the list of directories being searched.
_REASONS = {
    errno.ENOENT: Reason.ABSENT,
    errno.ENOTDIR: Reason.ABSENT,
    errno.EACCES: Reason.UNREADABLE,
    errno.ENAMETOOLONG: Reason.TOO_LONG,
    errno.EISDIR: Reason.UNREADABLE_DATA,
}


class CandidateRefused(Exception):
    """A file that ends the start of the program, not only this search."""

    def __init__(self, path: bytes, reason: Reason, detail: str = "") -> None:
        super().__init__(path, reason, detail)
        self.path = path
        self.reason = reason
        self.detail = detail


class Search:
    """Opens candidates one by one; `tried` lists the candidates of the current search that were refused."""

    def __init__(
        self,
        view: FileView,
        directory: bytes,
        target: VerifyTarget,
        check: Callable[[bytes, VerifyTarget], Reason | None],
        parse: Callable[[Buffer], Image] | None = None,
    ) -> None:
        self.view = view
        self._directory = directory.rstrip(b"/") + b"/"
        self._target = target
        self._check = check
        self._parse = parse or read
        self._exists: dict[bytes, bool] = {}
        self.tried: list[SearchAttempt] = []

    def open(self, path: bytes, rule: LinkerRule) -> FoundObject | Reason:
        """Return `path` as a library of this program, or the reason why the search goes on without it.

        Raises:
            CandidateRefused: it ends the start of the program.
        """
        outcome = self._open(path, rule)
        if isinstance(outcome, Reason):
            self.tried.append(SearchAttempt(path, rule, outcome))
            if outcome not in PASSED_OVER:
                raise CandidateRefused(path, outcome)
        return outcome

    def absolute(self, path: bytes) -> bytes:
        """Return `path` made absolute by the working directory."""
        return path if path.startswith(b"/") else self._directory + path

    def is_directory(self, path: bytes) -> bool:
        """Return whether there is such a directory; the answer is cached."""
        known = self._exists.get(path)
        if known is None:
            known = self._exists[path] = self._stat_directory(path)
        return known

    def take_tried(self) -> tuple[SearchAttempt, ...]:
        """Return the attempts since the last call, and clear them."""
        tried, self.tried = tuple(self.tried), []
        return tried

    def setuid(self, path: bytes) -> bool:
        """Return whether the file is set-user-ID."""
        try:
            return bool(self.view.stat(self.absolute(path)).mode & 0o4000)
        except OSError:
            return False

    def _open(self, path: bytes, rule: LinkerRule) -> FoundObject | Reason:
        place = self.absolute(path)
        try:
            buffer = self.view.read(place)
            facts = self.view.stat(place)
        except OSError as failure:
            return _REASONS.get(failure.errno or 0, Reason.STOPPED)
        except ValueError:  # a NUL in the name, which no file has
            return Reason.ABSENT
        reason = self._check(head_of(buffer), self._target)
        if reason is not None:
            return reason
        return self._read(path, rule, buffer, (facts.device, facts.inode))

    def _read(
        self, path: bytes, rule: LinkerRule, buffer: Buffer, identity: tuple[int, int]
    ) -> FoundObject | Reason:
        try:
            image = self._parse(buffer)
            reason = check_image(image)
        except BadInput as fault:
            self.tried.append(SearchAttempt(path, rule, Reason.MALFORMED))
            raise CandidateRefused(path, Reason.MALFORMED, str(fault)) from fault
        return reason or FoundObject(path, rule, image, identity)

    def _stat_directory(self, path: bytes) -> bool:
        try:
            return self.view.stat(self.absolute(path or b".")).kind is FileKind.DIRECTORY
        except (OSError, ValueError):
            return False
