"""Facts in a package's control archive that no index has: relations, and what scripts make (pure)."""

from __future__ import annotations

from denizen.fhs.alternatives import alternatives_in
from denizen.fhs.configuration_files import configuration_files_in
from denizen.fhs.diversions import diversions_in
from denizen.fhs.package_relations import relations
from denizen.fhs.state_directories import state_directories_in
from denizen.fhs.system_accounts import accounts_in
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fhs.alternatives import Alternative
    from denizen.fhs.diversions import Diversion
    from denizen.fhs.package_relations import Relation
    from denizen.formats.sysusers import AccountRequest


class Control(Value):
    """The facts of a control archive that are used.

    Attributes:
        configuration: (file, template) of the configuration files that the postinst makes.
        accounts: the users and groups that it makes.
        directories: the directories that it makes.
    """

    name: bytes
    version: bytes
    architecture: bytes
    provides: tuple[Relation, ...]
    conflicts: tuple[Relation, ...]
    breaks: tuple[Relation, ...]
    replaces: tuple[Relation, ...]
    alternatives: tuple[Alternative, ...]
    diversions: tuple[Diversion, ...] = ()
    configuration: tuple[tuple[bytes, bytes], ...] = ()
    accounts: tuple[AccountRequest, ...] = ()
    directories: tuple[bytes, ...] = ()


def read_control(control: bytes, postinst: bytes, preinst: bytes = b"") -> Control:
    """Return the facts of one package from its control file and scripts. Raises BadControl."""
    from denizen.formats.deb822 import paragraphs

    fields = next(paragraphs(control), {})
    name = fields.get(b"package", b"").strip()

    def related(key: bytes) -> tuple[Relation, ...]:
        return tuple(relations(b" ".join(fields.get(key, b"").split())))

    return Control(
        name,
        fields.get(b"version", b"").strip(),
        fields.get(b"architecture", b"").strip(),
        related(b"provides"),
        related(b"conflicts"),
        related(b"breaks"),
        related(b"replaces"),
        tuple(alternatives_in(postinst)),
        tuple(dict.fromkeys([*diversions_in(preinst, name), *diversions_in(postinst, name)])),
        tuple(dict.fromkeys(configuration_files_in(postinst))),
        tuple(dict.fromkeys(accounts_in(postinst))),
        tuple(dict.fromkeys(state_directories_in(postinst))),
    )
