"""Packages of files that a static program looks for and this host lacks, brought before it starts.

What a dynamic program looks for comes with its libraries, or is answered by the resident while it runs. A
static program has neither, so the paths in it (launch/resources/static_program_paths.py) count as files that
it will miss, under the policy of the resident: a budget, --offline, --lock.
"""

from __future__ import annotations

import os
import time

from denizen.app.run_time.budget import BadBudget, budget_of
from denizen.app.supply.base_suite import base_suites
from denizen.app.supply.ensure_index import ensure
from denizen.app.supply.open_index import open_index
from denizen.app.supply.own_architecture import own_architecture
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.disk import make_directories, write_atomically
from denizen.disk_view import DiskView
from denizen.elf.classify import STATIC_KINDS, classify
from denizen.errors import BadInput, HostLacks, SourceFailed, display
from denizen.fileview import MemoryView
from denizen.launch.resources.command_paths import brings_commands
from denizen.launch.resources.static_program_paths import looked_for
from denizen.resolve.installation.install import install
from denizen.resolve.lock import parse
from denizen.resolve.lock_check import ForeignLock
from denizen.resolve.resolution import Resolution, pin_of
from denizen.resolve.rule_packs import load_rules
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import before_start
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.resolve.resolution import Pin
    from denizen.resolve.rule_packs import Resource
    from denizen.sources.fetch_policy import FetchPolicy

# An empty file in the cache: when the archive could not be reached; for how many seconds it counts.
_UNREACHED = b"unreached"
_LATELY = 3600


class NotReachedLately(SourceFailed):
    """The error that an archive could not be reached a while ago, and is not tried again."""

    suite: str
    WHAT = "the archive with {suite:text} could not be reached a while ago"
    REMEDY = "denizen index update"


def with_files(
    session: Session,
    wanted: RunRequest,
    decision_store: DecisionStore,
    decision: Decision,
    rules: Sequence[Resource],
) -> Decision:
    """Return the host decision with the trees of the rules' packages, which are then in the store.

    Return it unchanged, after one line, where they cannot be had: the program starts without. Nothing is said
    where no decision can be kept either, for it would be at each start.
    """
    if not rules or not _is_writable(decision_store.directory):
        return decision
    try:
        if not (wanted.lock or budget_of(session)):
            return decision
        return _brought(session, wanted, decision_store, decision, rules)
    except BadBudget as problem:
        reason = problem.sentence
    except (SourceFailed, HostLacks, BadInput) as problem:
        reason = problem.what
    except OSError as problem:
        reason = problem.strerror or str(problem)
    paths = ", ".join(display(one.there[0]) for one in rules)
    session.reporter.say(f"denizen: it starts without {paths}: {reason}")
    return decision


def _is_writable(directory: bytes) -> bool:
    """Tell whether files can be made in a directory, or it can be made."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    return os.access(directory, os.W_OK)


def _brought(
    session: Session,
    wanted: RunRequest,
    decision_store: DecisionStore,
    decision: Decision,
    rules: Sequence[Resource],
) -> Decision:
    policy = before_start(offline=wanted.offline)
    if wanted.lock is not None:
        pins = _locked(wanted.lock, decision.program)
    else:
        pins = _within_budget(session, _chosen(session, wanted.suites, policy, rules))
    if not pins:
        return decision
    resolution = Resolution(own_architecture(), packages=tuple(pins))
    with made_store(session) as store, store.working() as work:
        made = install(store, resolution, supply_of(session, policy))
        trees = [made.packages[pin.sha256] for pin in pins]
        work.need(trees)
        found = replace(decision, objects=(*decision.objects, *map(store.place_of, trees)))
        decision_store.keep_besides(store.layout, found, trees)
    return found


def files_resolution(
    session: Session, program: bytes, policy: FetchPolicy, suites: tuple[str, ...]
) -> Resolution | None:
    """Return the packages of files that a static program looks for, whatever this host has, for a lock.

    Return None for a program of another kind, and for a directory. Raises OSError, BadInput, SourceFailed.
    """
    if os.path.isdir(program):
        return None
    found = classify(DiskView().read(program))
    if found.image is None or found.kind not in STATIC_KINDS:
        return None
    rules = looked_for(MemoryView({}), found.image, load_rules().resources)
    if not rules:
        return None
    architecture, asked = own_architecture(), base_suites(session, suites)
    ensure(session, asked, architecture, Scope.LIBRARIES, policy)
    pins = _offered(session, architecture, asked, rules)
    return Resolution(architecture, packages=tuple(sorted(pins, key=lambda pin: pin.name)))


def _locked(lock: str, program: bytes) -> list[Pin]:
    with open(lock, "rb") as stream:
        resolution = parse(stream.read())
    if resolution.choices:
        raise ForeignLock(program, ("it has libraries, and the program is static",))
    return list(resolution.packages)


def _chosen(
    session: Session, suites: tuple[str, ...], policy: FetchPolicy, rules: Sequence[Resource]
) -> list[Pin]:
    """Return the packages of the base suite that the rules name. Raises SourceFailed, HostLacks.

    A host with commands of its own has what its owner chose: no index is fetched for a program that starts.
    """
    architecture, asked = own_architecture(), base_suites(session, suites)
    if brings_commands(DiskView()):
        _ensure_index(session, asked, architecture, policy)
    return _offered(session, architecture, asked, rules)


def _ensure_index(session: Session, suites: tuple[str, ...], architecture: str, policy: FetchPolicy) -> None:
    """Make the index unless it is there, or the archive could not be reached lately.

    Each program would wait for a network that drops what is sent, and starts without.

    Raises SourceFailed, HostLacks.
    """
    mark = os.path.join(session.paths.cache, _UNREACHED)
    if not open_index(session, architecture, suites).entries and _is_recent(mark):
        raise NotReachedLately(suites[0] if suites else "")
    try:
        ensure(session, suites, architecture, Scope.LIBRARIES, policy)
    except SourceFailed:
        make_directories(session.paths.cache, 0o700)
        write_atomically(mark, b"", mode=0o600)
        raise


def _is_recent(mark: bytes) -> bool:
    try:
        return 0 <= time.time() - os.stat(mark).st_mtime < _LATELY
    except OSError:
        return False


def _offered(
    session: Session, architecture: str, suites: tuple[str, ...], rules: Sequence[Resource]
) -> list[Pin]:
    index = open_index(session, architecture, suites)
    names = dict.fromkeys(name for rule in rules for name in rule.packages)
    offered = [index.packages(name)[:1] for name in names]
    return [pin_of(one, index.snapshots) for some in offered for one in some]


def _within_budget(session: Session, pins: Sequence[Pin]) -> list[Pin]:
    """Return the first packages that are within the budget; say which are not."""
    budget, left, taken = budget_of(session), budget_of(session) * 1_000_000, []
    for pin in pins:
        if pin.size <= left:
            left -= pin.size
            taken.append(pin)
        else:
            size = pin.size // 1_000_000
            session.reporter.say(
                f"denizen: {display(pin.name)} is not brought: it is {size} MB, of a budget of {budget} MB"
            )
    return taken
