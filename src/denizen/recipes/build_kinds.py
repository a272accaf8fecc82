"""The kinds of builds that recipes name, and the Debian packages that each needs (pure).

The commands of each kind are in builder.bash, in functions named like `cmake_configure`.
"""

from __future__ import annotations

# Packages of every build, whatever it is written in: what stdenv has in nixpkgs, and Python for fixup.
COMMON = (
    "binutils", "bzip2", "file", "g++", "gawk", "gcc", "gzip", "libc6-dev", "make", "patch", "pkgconf",
    "python3", "xz-utils",
)  # fmt: skip
PLAIN = "plain"
KINDS = {
    PLAIN: (),
    "make": (),
    "autotools": ("autoconf", "automake", "libtool"),
    "cmake": ("cmake",),
    "meson": ("meson", "ninja-build"),
    "python": ("python3-build", "python3-installer", "python3-setuptools", "python3-wheel"),
    "cargo": ("cargo", "rustc"),
}
# The programs that flags can be given to.
FLAGS = ("configure", "cmake", "meson", "make", "check", "install", "cargo")
