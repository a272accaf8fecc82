"""StoreLayout, the directories and files of a store (pure).

One directory holds everything, so that moving or copying that directory moves or copies the store:

    <store>/<hash>-<name>        objects
    <store>/.tmp-<session>-<n>   a tree being written, or a directory of trees deleted and not yet unlinked
    <store>/.denizen/store       the marker: format and logical store directory
    <store>/.denizen/db          link to the directory that holds the current database
    <store>/.denizen/info/       one sidecar per object
    <store>/.denizen/gcroots/    roots; gcroots/auto/ the indirect ones
    <store>/.denizen/profiles/   profile generations, which are roots too
    <store>/.denizen/sessions/   one locked file per operation in progress, naming what it needs
    <store>/.denizen/locks/      the store's lock, and one lock per output being built
    <store>/.denizen/logs/       what builders said
    <store>/.denizen/realisations/  which objects outputs became that are named by their content
    <store>/.denizen/links/      one name per distinct file, for hard links
    <store>/.denizen/reserve     space given up so that a collection works on a full disk
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath

STATE = b".denizen"
TEMPORARY = b".tmp-"


class StoreLayout(Value):
    """The paths of a store's directories and files.

    Attributes:
        physical: where the store is, absolute.
        logical: the store directory that went into the objects' hashes; it stays what it was when a
            store is moved.
    """

    physical: bytes
    logical: bytes

    @property
    def state(self) -> bytes:
        """The directory of everything in the store that is not an object."""
        return self.physical + b"/" + STATE

    @property
    def marker(self) -> bytes:
        """The file that makes a directory a store; written last when a store is made."""
        return self.state + b"/store"

    @property
    def database(self) -> bytes:
        """The symbolic link to the current database's directory, replaced when the database is rebuilt."""
        return self.state + b"/db"

    @property
    def info(self) -> bytes:
        """The directory of the sidecars."""
        return self.state + b"/info"

    @property
    def gcroots(self) -> bytes:
        """The directory of links to objects that must be kept."""
        return self.state + b"/gcroots"

    @property
    def indirect(self) -> bytes:
        """The directory of links to links elsewhere.

        Once such a link is gone, its object may be collected.
        """
        return self.gcroots + b"/auto"

    @property
    def profiles(self) -> bytes:
        """The directory of profile generations."""
        return self.state + b"/profiles"

    @property
    def sessions(self) -> bytes:
        """The directory of session files, which name the objects that operations in progress need."""
        return self.state + b"/sessions"

    @property
    def locks(self) -> bytes:
        """The directory of the store's lock and of the locks of outputs."""
        return self.state + b"/locks"

    @property
    def links(self) -> bytes:
        """The directory with one name for each distinct file content."""
        return self.state + b"/links"

    @property
    def reserve(self) -> bytes:
        """The file that reserves disk space for a collection on a full disk."""
        return self.state + b"/reserve"

    def place_of(self, path: StorePath) -> bytes:
        """Return the object's path on this machine."""
        return path.inside(self.physical)

    def sidecar_of(self, path: StorePath) -> bytes:
        """Return the path of the object's sidecar."""
        return path.inside(self.info)

    @property
    def directories(self) -> tuple[bytes, ...]:
        """The directories that a new store consists of, parents first."""
        return (
            self.physical,
            self.state,
            self.info,
            self.gcroots,
            self.indirect,
            self.profiles,
            self.sessions,
            self.locks,
            self.links,
        )
