"""The result of `denizen bundle`, for people and as a document."""

from __future__ import annotations

from denizen.app.formatting import mebibytes
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.bundles.bundle_program import BundleMade


def lines(done: BundleMade) -> Iterator[str]:
    """Yield what was made, from what, and how it was tested."""
    yield f"{display(done.target)}: {mebibytes(done.size)}, unpacked {mebibytes(done.expanded)}"
    if done.packages:
        yield "  from " + ", ".join(f"{display(pin.name)} {display(pin.version)}" for pin in done.packages)
    yield f"  {done.tested}"


def document(done: BundleMade) -> dict[str, object]:
    """Return the fields of `--json`."""
    return {
        "bundle": display(done.target),
        "size": done.size,
        "unpacked": done.expanded,
        "packages": [
            {"name": display(pin.name), "version": display(pin.version), "sha256": pin.sha256.decode("ascii")}
            for pin in done.packages
        ],
        "tested": done.tested,
    }
