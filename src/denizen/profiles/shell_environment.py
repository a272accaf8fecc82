"""The variables by which shells, man, info and desktops find what a profile has (pure).

    PATH            commands
    MANPATH         man pages; an empty element at the end stands for man's own (manpath(1))
    INFOPATH        info pages; likewise (info(1))
    XDG_DATA_DIRS   desktop entries, icons, MIME types, fonts, units of systemd's user instance, and the
                    completions of bash and fish

zsh looks for completions in `fpath`. A variable that has the profile's directory already is left as it is.
"""

from __future__ import annotations

import shlex

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHELLS = ("sh", "bash", "zsh", "fish")
# Where XDG_DATA_DIRS is not set (XDG Base Directory Specification).
_DATA = "/usr/local/share:/usr/share"
_ZSH = ("share/zsh/site-functions", "share/zsh/vendor-completions")


class PathVariable(Value):
    """A variable that is a list of directories.

    Attributes:
        directory: below the profile.
        unset: the list where the variable is not set; None for one that then ends in an empty element.
    """

    name: str
    directory: str
    unset: str | None


VARIABLES = (
    PathVariable("PATH", "bin", "/usr/local/bin:/usr/bin:/bin"),
    PathVariable("MANPATH", "share/man", None),
    PathVariable("INFOPATH", "share/info", None),
    PathVariable("XDG_DATA_DIRS", "share", _DATA),
)


def settings(profile: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have to change so that a profile's directories come first in them."""
    found = {}
    for one in VARIABLES:
        directory, old = f"{profile}/{one.directory}", environ.get(one.name, "")
        if directory not in old.split(":"):
            rest = old or (one.unset if one.unset is not None else "")
            found[one.name] = f"{directory}:{rest}"
    return found


def script(profile: str, environ: Mapping[str, str], shell: str) -> Iterator[str]:
    """Yield the lines by which a shell sets the variables."""
    for name, text in settings(profile, environ).items():
        if shell == "fish":
            words = " ".join(_fish(part) for part in text.split(":")) if name == "PATH" else _fish(text)
            yield f"set -gx {name} {words}"
        else:
            yield f"export {name}={shlex.quote(text)}"
    if shell == "zsh":
        yield from (f"fpath=({shlex.quote(f'{profile}/{directory}')} $fpath)" for directory in _ZSH)


def direnv_function(command: str) -> Iterator[str]:
    """Yield the function for direnv's direnvrc by which an .envrc may say `use denizen [PROFILE]`.

    Without a profile it is what the project there is compiled with, if the project says so.
    """
    yield "use_denizen() {"
    yield "  if [ $# = 0 ] && { [ -e recipe.toml ] || grep -qs '^\\[develop' denizen.toml; }; then"
    yield "    watch_file recipe.toml denizen.toml denizen.lock"
    yield f'    eval "$({command} develop --print-env)"'
    yield "  else"
    yield f'    eval "$({command} env --shell bash ${{1:+--profile "$1"}})"'
    yield "  fi"
    yield "}"


def _fish(text: str) -> str:
    """Return a text in single quotes, where to fish only the backslash and the quote are special."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
