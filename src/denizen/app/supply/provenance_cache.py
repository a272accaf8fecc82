"""The facts about each source that decide its indexes, kept until a file that decides them changes.

Every search asks whether an index is still of what its source means now (app.supply.open_index). To read
and parse the configuration of denizen and apt takes 2 ms of the 16 of a `find`, so the answer is kept with
the stat facts of these files and directories: device, inode, size, mtime and ctime, or that there is none.

A file that changed in the last `SETTLED` seconds could change again within one tick of the kernel's clock and
have the same facts (git calls this racy); then nothing is kept.

    file = FORMAT, user, sources' directory, *(path, facts), "", *source; each word ends with NUL
    source = name, provenance, the number of suites, *suites

The code that reads the configuration is one of the files: another version may mean something else by it.
"""

from __future__ import annotations

import os

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session

NAME = b"provenances"
FORMAT = b"2"
SETTLED = 2
_MAX_SIZE = 1 << 20


class KnownSource(Value):
    """A configured source, as an index is asked for it: its name, whose packages it has, its suites."""

    name: str
    provenance: str
    suites: tuple[str, ...]


def source_provenances(session: Session) -> dict[str, str]:
    """Return the provenance of each configured source by its name. Raises BadSetting, NoKeyring."""
    return {one.name: one.provenance for one in known_sources(session)}


def known_suites(session: Session) -> tuple[str, ...]:
    """Return the suites of all configured sources, in their order. Raises BadSetting, NoKeyring."""
    return tuple(dict.fromkeys(suite for one in known_sources(session) for suite in one.suites))


def known_sources(session: Session) -> list[KnownSource]:
    """Return every configured source, in their order. Raises BadSetting, NoKeyring."""
    path = os.path.join(session.paths.index, NAME)
    head = [FORMAT, b"%d" % os.geteuid(), session.paths.sources]
    known = _kept(path, head)
    return _computed(session, path, head) if known is None else known


def _kept(path: bytes, head: Sequence[bytes]) -> list[KnownSource] | None:
    """Return what the file says; None if it does not hold, is missing or is damaged."""
    try:
        with open(path, "rb", buffering=0) as stream:
            content = stream.read(_MAX_SIZE)
    except OSError:
        return None  # nothing is kept yet: the settings are read
    *words, last = content.split(b"\0")
    try:
        end = words.index(b"", len(head))
    except ValueError:
        return None
    files, answers = words[len(head) : end], words[end + 1 :]
    if last or words[: len(head)] != head or len(files) % 2:
        return None
    if any(_facts(name)[0] != facts for name, facts in zip(files[::2], files[1::2], strict=True)):
        return None
    return _sources_in([os.fsdecode(word) for word in answers])


def _sources_in(words: Sequence[str]) -> list[KnownSource] | None:
    """Return the sources that some words describe; None where they are incomplete."""
    found = []
    rest = iter(words)
    try:
        for name in rest:
            provenance, count = next(rest), int(next(rest))
            found.append(KnownSource(name, provenance, tuple([next(rest) for _ in range(count)])))
    except (StopIteration, RuntimeError, ValueError):
        return None
    return found


def _computed(session: Session, path: bytes, head: Sequence[bytes]) -> list[KnownSource]:
    from denizen.app.supply.configured_sources import configured_settings
    from denizen.disk_view import DiskView
    from denizen.sources import source_settings

    names = [
        *source_settings.files_of_provenance(DiskView(), session.paths.sources),
        os.fsencode(source_settings.__file__),
    ]
    # The facts are taken first, so that a change while the files are read makes them differ.
    files = [(name, *_facts(name)) for name in names]
    found = [KnownSource(one.name, one.provenance, one.suites) for one in configured_settings(session)]
    pairs = [word for name, facts, _ in files for word in (name, facts)]
    rows = [(one.name, one.provenance, str(len(one.suites)), *one.suites) for one in found]
    answers = [os.fsencode(word) for row in rows for word in row]
    _keep(path, [*head, *pairs, b"", *answers], max(changed for _, _, changed in files))
    return found


def _keep(path: bytes, words: Sequence[bytes], changed: int) -> None:
    import time

    from denizen.disk import write_atomically

    content = b"".join([word + b"\0" for word in words])
    if changed > time.time_ns() - SETTLED * 10**9 or len(content) >= _MAX_SIZE:
        return
    try:
        write_atomically(path, content)
    except OSError:
        return  # a directory that cannot be written, or is full: the settings are read next time too


def _facts(path: bytes) -> tuple[bytes, int]:
    """Return the stat facts of a file as text, b"-" if there is none; and its last change, ns since 1970."""
    try:
        it = os.stat(path)
    except OSError:
        return b"-", 0
    times = it.st_mtime_ns, it.st_ctime_ns
    return b"%d %d %d %d %d" % (it.st_dev, it.st_ino, it.st_size, *times), max(times)
