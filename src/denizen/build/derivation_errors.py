"""Errors about a derivation that cannot be written or built (pure).

They are imported where they are raised, as those of profiles are (profiles/profile_errors.py).
"""

from __future__ import annotations

from denizen.errors import BadInput


class UnsupportedDerivation(BadInput):
    """The error that a derivation uses an experimental feature of Nix's that denizen does not carry out."""

    name: str
    feature: str
    reason: str
    WHAT = "the derivation '{name}' uses Nix's experimental feature {feature:text}"
    WHY = "{reason:text}, which denizen does not build"
    REMEDY = "build it by Nix, with --extra-experimental-features {feature:text}"


class NotListed(BadInput):
    """The error that a path cannot stand in a list of a derivation's."""

    field: bytes
    WHAT = "{field} cannot stand in a derivation"
    WHY = "a path in its lists may have neither a tab nor a line break"
    REMEDY = "where that is the store's own directory: --root DIR, or DENIZEN_ROOT, with another one"
