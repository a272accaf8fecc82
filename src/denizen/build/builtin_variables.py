"""The variables of a derivation for a built-in builder, read with the checks all builders need (pure)."""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats import storepath
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.formats.storepath import StorePath


class Variables(Value):
    """The environment of a derivation, read with the checks all builders need."""

    name: str
    environment: Mapping[bytes, bytes]
    store_dir: bytes

    def text(self, key: bytes, default: bytes | None = None) -> bytes:
        """Return the variable `key`.

        Raises:
            BadDerivation: it is absent and has no default.
        """
        found = self.environment.get(key, default)
        if found is None:
            raise BadDerivation(self.name, f"its builder wants the variable '{display(key)}'")
        return found

    def store_path(self, text: bytes) -> StorePath:
        """Return the store path written in full in `text`. Raises BadStorePath."""
        return storepath.parse(text, self.store_dir)

    def rows(self, key: bytes, fields: int, default: bytes | None = None) -> list[list[bytes]]:
        """Return the lines of the variable `key`, each split into `fields` fields.

        Raises:
            BadDerivation: it is absent and has no default, or a line has another number of fields.
        """
        rows = [line.split(b"\t") for line in self.text(key, default).split(b"\n") if line]
        for row in rows:
            if len(row) != fields:
                raise BadDerivation(
                    self.name, f"a line of '{display(key)}' has {len(row)} fields, not {fields}"
                )
        return rows
