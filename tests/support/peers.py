"""The rule for peer programs: without one a test skips and says so; in CI it fails.

`PACKAGES` says where each comes from; tests/test_peers.py holds it to what `make tools` installs.
"""

import os
import shutil

import pytest

# Debian's ordinary users have no directory of the administrator's in PATH; ldconfig is there.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

# Debian's package of each peer that tests name.
PACKAGES = {
    "Xvfb": "xvfb",
    "apt-get": "apt",
    "bash": "bash",
    "busybox": "busybox-static",
    "bwrap": "bubblewrap",
    "cc": "gcc",
    "cmp": "diffutils",
    "debootstrap": "debootstrap",
    "desktop-file-validate": "desktop-file-utils",
    "direnv": "direnv",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "env": "coreutils",
    "fc-match": "fontconfig",
    "file": "file",
    "fish": "fish",
    "g++": "g++",
    "gcc": "gcc",
    "gdb": "gdb",
    "gpgv": "gpgv",
    "grub-script-check": "grub-common",
    "gtk-launch": "libgtk-3-bin",
    "ldconfig": "libc-bin",
    "ldd": "libc-bin",
    "localedef": "libc-bin",
    "man": "man-db",
    "mksquashfs": "squashfs-tools",
    "mount": "mount",
    "musl-gcc": "musl-tools",
    "nix-build": "nix-bin",
    "nix-env": "nix-bin",
    "nix-store": "nix-bin",
    "npm": "npm",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "patch": "patch",
    "patchelf": "patchelf",
    "prlimit": "util-linux",
    "qemu-aarch64-static": "qemu-user-static",
    "qemu-x86_64-static": "qemu-user-static",
    "readelf": "binutils",
    "runc": "runc",
    "rustc": "rustc",
    "setarch": "util-linux",
    "setpriv": "util-linux",
    "sleep": "coreutils",
    "strace": "strace",
    "strip": "binutils",
    "systemctl": "systemd",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "truncate": "coreutils",
    "umoci": "umoci",
    "umount": "mount",
    "unshare": "util-linux",
    "unsquashfs": "squashfs-tools",
    "valgrind": "valgrind",
    "xdg-mime": "xdg-utils",
    "xorriso": "xorriso",
    "zsh": "zsh",
}


def require(*programs: str) -> None:
    """Skip, saying why, unless every program is on PATH; in CI fail instead."""
    missing = [program for program in programs if shutil.which(program, path=_PATH) is None]
    if not missing:
        return
    reason = f"peer not installed: {', '.join(missing)} (`make tools` installs them)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
