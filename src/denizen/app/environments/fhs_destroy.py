"""Removal of an environment with all its generations, unless it is in use."""

from __future__ import annotations

from denizen.errors import DenizenError, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


class InUse(DenizenError):
    """The error that an environment is not removed while processes are in it."""

    name: str
    processes: tuple[int, ...]
    places: tuple[str, ...]
    WHAT = "the environment {name} is in use"
    REMEDY = "end them, and denizen fhs umount, first; or --force: they keep what they have open"

    @property
    def why(self) -> str:
        by = f"by the processes {', '.join(map(str, self.processes[:20]))}" if self.processes else ""
        at = f"mounted at {', '.join(self.places)}" if self.places else ""
        return "; ".join(part for part in (by, at) if part)


def destroy(session: Session, name: str, *, force: bool) -> None:
    """Remove an environment; with `force` also one that is in use.

    Raises:
        InUse: processes are in it, or it is mounted as a plain chroot.
        NoEnvironment: there is none of that name.
    """
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.generations import EnvironmentStore, users
    from denizen.fhs.plain_chroot import places as standing_places

    environments = EnvironmentStore(session.paths.state)
    current = environments.current(name)
    with open_store(session) as store:
        trees = {environments.generation(name, number).tree for number in environments.numbers(name)} | {
            current.tree
        }
        inside = sorted(pid for tree in trees for pid in users(store.place_of(tree)))
        mounted = [display(place) for tree in trees for place in standing_places(store.place_of(tree))]
        if (inside or mounted) and not force:
            raise InUse(name, tuple(inside), tuple(mounted))
        environments.remove(name, store.layout)
