"""`sync`: a profile becomes what a project's denizen.toml says, by its denizen.lock where that fits."""

from __future__ import annotations

import os

from denizen.app.profiles.install_packages import InstallOutcome, decide_prepared, prepared_elements
from denizen.app.profiles.install_request import Preparation
from denizen.app.profiles.profile_access import changed, profile_of
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_request import InstallRequest, PreparedElement
    from denizen.app.session import Session
    from denizen.profiles.package_plan import PackagePlan
    from denizen.profiles.profile_links import Profile
    from denizen.profiles.profile_manifest import ProfileManifest
    from denizen.profiles.project_profile import ProjectProfile


def sync(
    session: Session, path: str, request: InstallRequest, *, update: bool
) -> tuple[Profile, InstallOutcome]:
    """Make the profile that the project file at `path` describes; return it with what was done.

    The packages are those of denizen.lock where it was made for the same table, and `update` is not set; else
    they are chosen anew, and the lock is written.

    Raises:
        BadProfileTable, BadPlan: a file cannot be used. And the errors of an installation.
    """
    from denizen.app.supply.liblzma_setup import bring_decoder
    from denizen.app.supply.store_access import made_store
    from denizen.disk import open_regular
    from denizen.formats.toml_file import MAX_SIZE
    from denizen.profiles.project_profile import read_project_profile
    from denizen.store.errors import doing

    with doing("read", os.fsencode(path)), open(path, "rb", opener=open_regular) as stream:
        project = read_project_profile(stream.read(MAX_SIZE + 1), path)
    profile = profile_of(session, project.name)
    plans = None if update else _locked_plans(project, path)
    bring_decoder(session)
    with made_store(session) as store, store.working() as work:
        at = Preparation(session, store, work, replace(request, suites=project.suites))
        prepared, failures = decide_prepared(at, _prepared(at, project, plans))
        wanted = {one.element.name: one.element for one in prepared}

        def transition(manifest: ProfileManifest) -> ProfileManifest:
            from denizen.profiles.profile_manifest import manifest_of

            del manifest
            return manifest_of(wanted)

        change = changed(profile, store, work, transition, wanted)
    if plans is None:
        _write_lock(project, path, [one.plan for one in prepared if one.plan is not None])
    return profile, InstallOutcome(change, prepared, failures)


def _prepared(
    at: Preparation, project: ProjectProfile, plans: tuple[PackagePlan, ...] | None
) -> list[PreparedElement]:
    from denizen.app.profiles.debian_element import planned_package

    if plans is None:
        return prepared_elements(at, project.packages)
    return [planned_package(at, plan) for plan in plans]


def _lock_place(path: str) -> str:
    from denizen.fhs.project_environment import LOCK

    return os.path.join(os.path.dirname(path), LOCK)


def _lock_content(path: str) -> bytes:
    from denizen.disk import content_or_empty
    from denizen.profiles.package_plan import MAX_SIZE
    from denizen.store.errors import doing

    place = _lock_place(path)
    with doing("read", os.fsencode(place)):
        return content_or_empty(place, MAX_SIZE + 1)


def _locked_plans(project: ProjectProfile, path: str) -> tuple[PackagePlan, ...] | None:
    from denizen.fhs.project_lock import lock_sections
    from denizen.profiles.package_plan import read_plans

    section = lock_sections(_lock_content(path)).get(b"profile")
    if section is None or section.digest != project.digest:
        return None
    return read_plans(section.body, os.fsencode(_lock_place(path)))


def _write_lock(project: ProjectProfile, path: str, plans: list[PackagePlan]) -> None:
    from denizen.disk import write_atomically
    from denizen.fhs.project_lock import LockSection, with_section
    from denizen.profiles.package_plan import write_plans
    from denizen.store.errors import doing

    place = _lock_place(path)
    section = LockSection(project.digest, write_plans(plans))
    with doing("write", os.fsencode(place)):
        write_atomically(place, with_section(_lock_content(path), b"profile", section))
