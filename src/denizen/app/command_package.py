"""The package that a command comes from which this host lacks, by an index."""

from __future__ import annotations

from denizen.launch.command_alternatives import package_for_program
from denizen.launch.command_rules import folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.index.locate import Index

# The directories of an environment in which a package's commands are looked for.
COMMAND_PATH = b"/usr/bin:/usr/sbin:/usr/games"
# What the name of a package that is about a command has behind the command's.
_ENDINGS = ("", "-bin", "-build", "-cli", "-client", "-core")


def packages_about(name: bytes) -> tuple[str, ...]:
    """Return the names that a package which is about a command may have.

    xvfb has Xvfb (Debian Policy 5.6.7), ninja-build has ninja: another package had the short name.
    """
    own = folded(name).decode("utf-8", "replace")
    return tuple(own + ending for ending in _ENDINGS)


def command_package(index: Index, name: bytes) -> str:
    """Return the package with a complete command, "" for none.

    The interpreter of a language may be in a small package for the system's own needs (perl-base,
    python3-minimal); the package that has the command's name, from the same source, has all of it. A name
    that only a maintainer script makes (java) is in the package that the rules name: php in php-cli, though
    the package php is of the same source.
    """
    found = index.commands(name)
    if not found:
        named = index.packages(package_for_program(name))
        return named[0].package.decode("utf-8", "replace") if named else ""
    for holder in index.packages(found[0].package)[:1]:
        for whole in index.packages(name)[:1]:
            if (holder.source_package or holder.package) == (whole.source_package or whole.package):
                return whole.package.decode("utf-8", "replace")
    return found[0].package.decode("utf-8", "replace")
