"""The provenance of each source, kept beside the manifest until a file that decides it changes.

Every search asks whether an index is still of what its source means now (app.supply.open_index). To read
and parse the configuration of denizen and apt takes 2 ms of the 16 of a `find`, so the answer is kept with
the stat facts of these files and directories: device, inode, size, mtime and ctime, or that there is none.

A file that changed in the last `SETTLED` seconds could change again within one tick of the kernel's clock and
have the same facts (git calls this racy); then nothing is kept.

    file = FORMAT, user, sources' directory, *(path, facts), "", *(name, provenance); each ends with NUL
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session

NAME = b"provenances"
FORMAT = b"1"
SETTLED = 2
_MAX_SIZE = 1 << 20


def source_provenances(session: Session) -> dict[str, str]:
    """Return the provenance of each configured source by its name. Raises BadSetting, NoKeyring."""
    path = os.path.join(session.paths.index, NAME)
    head = [FORMAT, b"%d" % os.geteuid(), session.paths.sources]
    known = _kept(path, head)
    return _computed(session, path, head) if known is None else known


def _kept(path: bytes, head: Sequence[bytes]) -> dict[str, str] | None:
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
    if last or words[: len(head)] != head or len(files) % 2 or len(answers) % 2:
        return None
    if any(_facts(name)[0] != facts for name, facts in zip(files[::2], files[1::2], strict=True)):
        return None
    texts = [os.fsdecode(word) for word in answers]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _computed(session: Session, path: bytes, head: Sequence[bytes]) -> dict[str, str]:
    from denizen.app.supply.configured_sources import configured_settings
    from denizen.disk import DiskView
    from denizen.sources.source_settings import files_of_provenance

    # The facts are taken first, so that a change while the files are read makes them differ.
    files = [(name, *_facts(name)) for name in files_of_provenance(DiskView(), session.paths.sources)]
    found = {one.name: one.provenance for one in configured_settings(session)}
    pairs = [word for name, facts, _ in files for word in (name, facts)]
    answers = [os.fsencode(word) for pair in found.items() for word in pair]
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
