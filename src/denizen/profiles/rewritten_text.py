"""RewrittenText, a desktop entry of a package that a profile shows with its commands renamed (pure).

Only installed packages have some, and programs are installed without this module.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath


class RewrittenText(Value):
    """A desktop entry or the like, of an object, that appears here with its commands renamed."""

    path: StorePath
    inside: bytes
    outside: bytes
