"""The reserve: disk space given up so that a collection works on a full disk."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.layout import StoreLayout

# Bytes freed when a collection begins, so that the database can write its log on a full disk; Nix's figure.
RESERVE = 8 * 1024 * 1024


def make_reserve(layout: StoreLayout) -> None:
    """Allocate the reserve file if it is absent or short; does nothing where the disk has no room for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(layout.reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(descriptor).st_size < RESERVE:
                os.posix_fallocate(descriptor, 0, RESERVE)
        except OSError:
            # ext4 keeps what it had allocated before space ran out, which is all there was.
            os.unlink(layout.reserve)
            raise
        finally:
            os.close(descriptor)


def release_reserve(layout: StoreLayout) -> None:
    """Remove the reserve file, which frees its space."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(layout.reserve)
