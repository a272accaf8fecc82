"""A request to install things, and what it makes of one of them before the profile is changed."""

from __future__ import annotations

import os

from denizen.errors import display
from denizen.profiles.profile_manifest import DEFAULT_PRIORITY
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath
    from denizen.profiles.builtin_commands import InstalledProgram
    from denizen.profiles.command_recipe import CommandRecipe
    from denizen.profiles.package_plan import PackagePlan
    from denizen.profiles.profile_manifest import ProfileElement
    from denizen.profiles.rewritten_text import RewrittenText
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store
    from denizen.store.object_staging import Work


class InstallRequest(Value):
    """The options of an installation.

    Attributes:
        suites: the suites to take packages from; () for the configured ones.
        offline: fetch nothing.
        stays_offline: fetch nothing for its commands while they run either.
        priority: of the new elements; None for the usual one, or what the element had before.
        sha256: that the file of a URL must have, in hex.
        name: the element's name, instead of the one that follows from what is installed.
        max_rate: bytes per second of all downloads together, 0 for no limit.
    """

    suites: tuple[str, ...] = ()
    offline: bool = False
    stays_offline: bool = False
    priority: int | None = None
    sha256: str = ""
    name: str = ""
    max_rate: int = 0

    @property
    def policy(self) -> FetchPolicy:
        """The policy of its downloads."""
        from denizen.sources.fetch_policy import FetchPolicy

        return FetchPolicy(offline=self.offline, max_rate=self.max_rate)


class ExposedProgram(Value):
    """The ingredients of an object of commands.

    Attributes:
        name: of the object.
    """

    name: str
    programs: tuple[InstalledProgram, ...]
    texts: tuple[RewrittenText, ...]
    recipe: CommandRecipe


class Preparation(Value):
    """The means to prepare elements.

    Attributes:
        work: the operation that keeps their objects until the profile has them.
        exposing: makes the object of commands where another machine is to start them; None for this one.
    """

    session: Session
    store: Store
    work: Work
    request: InstallRequest
    exposing: Callable[[ExposedProgram], StorePath] | None = None


class PreparedElement(Value):
    """An element whose objects are in the store.

    Attributes:
        commands: the object of its commands; None where it has none.
        plan: what it was made from; None for what is no package.
    """

    element: ProfileElement
    commands: StorePath | None
    plan: PackagePlan | None = None


def must_be_name(name: str) -> str:
    """Return the name of an element. Raises BadElementName."""
    from denizen.formats.entry_name import is_entry_name

    if not is_entry_name(os.fsencode(name)) or display(name) != name:
        from denizen.app.profiles.element_errors import BadElementName

        raise BadElementName(display(name))
    return name


_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?=")


def object_name(text: str) -> str:
    """Return a text as a store object's name."""
    return ("".join(one if one in _ALLOWED else "-" for one in text)[:120].lstrip(".")) or "program"


def priority_of(request: InstallRequest, before: ProfileElement | None) -> int:
    """Return the priority of an element that takes the place of `before`."""
    if request.priority is not None:
        return request.priority
    return before.priority if before is not None else DEFAULT_PRIORITY
