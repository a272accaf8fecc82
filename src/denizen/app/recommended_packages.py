"""The packages without which another one hardly works, though it only recommends them.

The agent of gpg, the includes of POV-Ray: of its own source. The headers of a compiler: of any. What a
maintainer recommends besides is for people, and documentation is too.
"""

from __future__ import annotations

from denizen.index.provider import is_for_development

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.index.locate import Index
    from denizen.index.provider import Provider

# Sections of the archive whose packages no program needs.
_FOR_PEOPLE = (b"debug", b"doc", b"localization")


def recommended_packages(index: Index, holder: Provider) -> tuple[str, ...]:
    """Return the packages that come with `holder`, which recommends them. Raises DamagedIndex."""
    return tuple(
        each.package.decode()
        for each in index.recommended(holder)
        for one in index.packages(each.package)[:1]
        if _is_for(holder, one)
    )


def _is_for(holder: Provider, one: Provider) -> bool:
    """Tell whether a recommended package is for the program: headers are for compilers alone."""
    if is_for_development(one.section):
        return is_for_development(holder.section)
    return one.section.rpartition(b"/")[2] not in _FOR_PEOPLE
