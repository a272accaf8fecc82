"""The subject of an export or a description: a program, an environment or a profile, by its word."""

from __future__ import annotations

import os

from denizen.errors import BadInput
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


class SubjectKind(Enum):
    """The kinds of subjects; the values are the prefixes that choose one of several with the same name."""

    PROGRAM = "program"
    ENVIRONMENT = "env"
    PROFILE = "profile"


class AmbiguousSubject(BadInput):
    """The error that a word names several things."""

    word: str
    kinds: tuple[str, ...]
    WHAT = "{word} is not one thing"

    @property
    def why(self) -> str:
        return "there are: " + ", ".join(f"{kind}:{self.word}" for kind in self.kinds)

    @property
    def remedy(self) -> str:
        return f"say {self.kinds[0]}:{self.word}"


class ExportSubject(Value):
    """A subject.

    Attributes:
        kind: what it is.
        text: its name: of an environment, of a profile or the path of one; of a program its path.
    """

    kind: SubjectKind
    text: str

    @property
    def name(self) -> str:
        """The name for what is made of it."""
        return os.path.basename(self.text.rstrip("/"))


def find_subject(session: Session, word: str) -> ExportSubject:
    """Return what a word names: a path, an environment, a profile, a command in PATH.

    Raises:
        AmbiguousSubject: it names several.
        NoSuchProgram: it names none.
    """
    from denizen.app.start_request import NoSuchProgram, locate_existing

    prefix, colon, rest = word.partition(":")
    kinds = {kind.value: kind for kind in SubjectKind}
    if colon and prefix in kinds:
        return _program(session, rest) if prefix == "program" else ExportSubject(kinds[prefix], rest)
    if "/" in word:
        is_tree = os.path.isdir(word) and os.path.exists(os.path.join(word, "manifest.json"))
        return ExportSubject(SubjectKind.PROFILE, word) if is_tree else _program(session, word)
    found = [ExportSubject(kind, word) for kind in _named(session, word)]
    try:
        located = locate_existing(os.fsencode(word), session.environ)
        found.append(ExportSubject(SubjectKind.PROGRAM, os.fsdecode(located)))
    except NoSuchProgram:
        if not found:
            raise
    if len(found) > 1:
        raise AmbiguousSubject(word, tuple(one.kind.value for one in found))
    return found[0]


def _program(session: Session, word: str) -> ExportSubject:
    from denizen.app.start_request import locate_existing

    path = locate_existing(os.fsencode(word), session.environ)
    return ExportSubject(SubjectKind.PROGRAM, os.fsdecode(path))


def _named(session: Session, word: str) -> list[SubjectKind]:
    """Return the kinds of which one has this name: environments and profiles."""
    from denizen.app.profiles.profile_access import profile_names
    from denizen.fhs.generations import EnvironmentStore

    found = []
    if word in EnvironmentStore(session.paths.state).names():
        found.append(SubjectKind.ENVIRONMENT)
    if os.fsencode(word) in [one.name for one in profile_names(session)]:
        found.append(SubjectKind.PROFILE)
    return found
