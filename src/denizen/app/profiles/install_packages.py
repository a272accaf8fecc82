"""`install`: things are brought into the store, and the profile switched to a generation that has them."""

from __future__ import annotations

from denizen.app.profiles.install_request import Preparation, must_be_name, priority_of
from denizen.app.profiles.profile_access import ProfileChange, changed
from denizen.errors import display
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.profiles.install_request import InstallRequest, PreparedElement
    from denizen.app.session import Session
    from denizen.errors import DenizenError
    from denizen.profiles.profile_links import Profile
    from denizen.profiles.profile_manifest import ProfileManifest


class InstallOutcome(Value):
    """The result of an installation.

    Attributes:
        change: what became of the profile.
        elements: what was prepared.
        failures: a sentence for each command that will not start.
    """

    change: ProfileChange
    elements: tuple[PreparedElement, ...]
    failures: tuple[str, ...]


def install(
    session: Session, profile: Profile, words: Sequence[str], request: InstallRequest
) -> InstallOutcome:
    """Install what the words name: packages, programs by their paths, URLs.

    Raises:
        ProfileConflict: two things have different files at one path.
        BadElementName: the name that is asked for is no file name. And the errors of preparing them.
    """
    if request.name:
        must_be_name(request.name)
    from denizen.app.profiles.program_element import is_place
    from denizen.app.supply.store_access import made_store

    if not all(map(is_place, words)):
        from denizen.app.supply.liblzma_setup import bring_decoder  # 1 ms that only packages pay

        bring_decoder(session)
    with made_store(session) as store, store.working() as work:
        at = Preparation(session, store, work, request)
        return put(at, profile, prepared_elements(at, words))


def put(at: Preparation, profile: Profile, prepared: Sequence[PreparedElement]) -> InstallOutcome:
    """Decide how the commands of prepared elements start, and switch to a generation with the elements."""
    from denizen.profiles.manifest_changes import with_elements

    prepared, failures = decide_prepared(at, prepared)

    def transition(manifest: ProfileManifest) -> ProfileManifest:
        elements = []
        for one in prepared:
            before = manifest.element(one.element.name)
            pinned = before is not None and before.pinned
            priority = priority_of(at.request, before)
            elements.append(replace(one.element, priority=priority, pinned=pinned))
        return with_elements(manifest, elements)

    names = {one.element.name for one in prepared}
    change = changed(profile, at.store, at.work, transition, names)
    return InstallOutcome(change, prepared, failures)


def prepared_elements(at: Preparation, words: Sequence[str]) -> list[PreparedElement]:
    """Return an element for each word; their objects are in the store, kept while the work lasts."""
    from denizen.app.profiles.program_element import is_place, prepared_program

    if all(map(is_place, words)):
        return [prepared_program(at, word) for word in words]
    # 2 ms that only packages pay.
    from denizen.app.profiles.debian_element import DebianChooser, prepared_package

    chooser = DebianChooser(at.session, at.request.suites, at.request.policy)
    return [
        prepared_program(at, word) if is_place(word) else prepared_package(at, chooser, word)
        for word in words
    ]


def decide_prepared(
    at: Preparation, prepared: Sequence[PreparedElement]
) -> tuple[tuple[PreparedElement, ...], tuple[str, ...]]:
    """Decide how the commands of prepared elements start.

    Return the elements, some made anew, and a sentence for each command that will not start.
    """
    pairs = [_decide(at, one) for one in prepared]
    return tuple(one for one, _ in pairs), tuple(said for _, some in pairs for said in some)


def _decide(at: Preparation, one: PreparedElement) -> tuple[PreparedElement, list[str]]:
    """Decide about one element; commands whose libraries cannot be had get an environment."""
    failed = _decided(at, one)
    if not failed:
        return one, []
    from denizen.app.errors import Unsatisfied
    from denizen.app.profiles.debian_element import planned_package, with_environment

    lacking = [name for name, problem in failed.items() if isinstance(problem, Unsatisfied)]
    if lacking and one.plan is not None:
        plan = with_environment(at, one.plan, lacking)
        if plan is not None:
            one = planned_package(at, plan)
            failed = _decided(at, one)
    said = [f"{display(name)} will not start as it is: {problem}" for name, problem in failed.items()]
    return one, said


def _decided(at: Preparation, one: PreparedElement) -> dict[bytes, DenizenError]:
    from denizen.app.profiles.command_object import decide_commands
    from denizen.app.start_request import RunRequest

    if one.commands is None:
        return {}
    names = [name.encode("utf-8", "surrogateescape") for name in one.element.commands]
    place = at.store.place_of(one.commands)
    suites = one.element.suites
    wanted = RunRequest(offline=at.request.offline, suites=suites, installed=True)
    return decide_commands(at.session, place, names, wanted)
