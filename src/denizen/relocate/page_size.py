"""The size of pages that a patched file must be right for (pure).

A kernel maps whole pages, and its architecture may allow several sizes (machines.py, `max_page`): what a
patch adds must not share a page with another segment, whatever the size.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image

# Of all architectures; the largest for one that is not known.
MIN_PAGE, MAX_PAGE = 4096, 0x10000


def page_size(image: Image) -> int:
    """Return the size of pages that the file must be right for.

    It is the largest of the architecture, or what its own segments are aligned to, where that is less: on
    larger pages it never ran.
    """
    own = min([row[7] for row in image.loads], default=MAX_PAGE)
    if own <= MIN_PAGE:
        return MIN_PAGE
    machine = image.header.architecture
    return max(MIN_PAGE, min(own, machine.max_page if machine is not None else MAX_PAGE))
