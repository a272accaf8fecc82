"""Plain chroots of environments: `fhs mount` and `fhs umount`, for root."""

from __future__ import annotations

import os

from denizen.fhs.plain_chroot import mount, umount
from denizen.store.errors import doing
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


def mount_environment(session: Session, name: str, place: bytes) -> bool:
    """Make the directory `place` (absolute) a plain chroot of an environment; return whether it was none yet.

    Raises NoEnvironment, DiskFailed and what `mount` raises.
    """
    from denizen.app.environments.fhs_enter import inside_of
    from denizen.fhs.generations import EnvironmentStore

    generation = EnvironmentStore(session.paths.state).current(name)
    with doing("mount at", place):
        os.makedirs(place, exist_ok=True)
        return mount(replace(inside_of(session, name, generation), stage=place))


def unmount_environment(session: Session, place: bytes) -> bool:
    """Take down the plain chroot at `place` (absolute); return whether there was one. Raises as `umount`."""
    from denizen.app.session import tools_of

    tools = tools_of(session)
    with doing("unmount", place):
        return umount(place, tools.enter())
