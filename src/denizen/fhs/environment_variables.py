"""The variables that commands in an environment get, and the start file of its shell (pure)."""

from __future__ import annotations

from denizen.fhs.driver_libraries import SHARE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.fhs.generations import Settings

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games"
_DATA = "/usr/local/share:/usr/share"
# Descriptions of the host's drivers, in a directory that Vulkan's loader and libglvnd search in addition.
_SHARE = SHARE.decode()
_EGL = f"/etc/glvnd/egl_vendor.d:/usr/share/glvnd/egl_vendor.d:{_SHARE}/glvnd/egl_vendor.d"


def variables(name: str, settings: Settings, *, drivers: bool) -> Mapping[str, str]:
    """Return the variables that are always set: the paths valid inside, and the environment's own settings.

    Args:
        name: the environment's.
        settings: of its generation; they come last.
        drivers: the host has drivers that the environment is shown.
    """
    own = {"PATH": PATH, "XDG_DATA_DIRS": _DATA, "DENIZEN_FHS": name}
    if drivers:
        own |= {"XDG_DATA_DIRS": f"{_DATA}:{_SHARE}", "__EGL_VENDOR_LIBRARY_DIRS": _EGL}
    return own | dict(settings.environment)


# Variables of which one says that the user has chosen a locale: an environment's own does not replace it.
LOCALE_CHOICES = ("LC_ALL", "LANG")


def locale(settings: Settings) -> str:
    """Return LANG for a user who has set none of LOCALE_CHOICES; "" for none."""
    return settings.locales[0] if settings.locales else ""


def bashrc(name: str, settings: Settings) -> bytes:
    """Return the start file of the shell.

    It reads the user's ~/.bashrc, then puts the environment's name before the prompt.
    """
    return (
        "[ -r /etc/bash.bashrc ] && . /etc/bash.bashrc\n"
        "[ -r ~/.bashrc ] && . ~/.bashrc\n"
        f"PATH={PATH}\n"
        f"PS1='({name}) '\"$PS1\"\n{settings.profile}\n"
    ).encode()
