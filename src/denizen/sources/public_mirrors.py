"""Public mirrors of Debian's archive, used when neither the machine nor the user configures one.

Selected from Debian's list of mirrors (debian.org/mirror/list) for having every architecture and being on
different networks and continents. Plain http on purpose: a minimal host may have no certificates, and
every byte is verified by signature and hash.
"""

from __future__ import annotations

PUBLIC_MIRRORS: tuple[str, ...] = (
    "http://mirrors.kernel.org/debian",
    "http://ftp.halifax.rwth-aachen.de/debian",
    "http://mirror.csclub.uwaterloo.ca/debian",
    "http://ftp.jaist.ac.jp/debian",
)
