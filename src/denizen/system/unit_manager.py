"""Commands to the systemd that runs on this machine."""

from __future__ import annotations

import os
import subprocess

from denizen.errors import HostLacks, display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.system.unit_files import UnitActions

# sd_booted(3): the directory is there if systemd is the running system's manager.
_BOOTED = "/run/systemd/system"
_TIMEOUT = 300
_SHOWN = 2000


class UnitFailed(HostLacks):
    """The error that systemd did not do what was asked."""

    words: str
    said: str
    WHAT = "systemctl {words:text} failed"
    REMEDY = "journalctl -xe"

    @property
    def why(self) -> str:
        return "\n".join(map(display, self.said.splitlines()))


def is_booted() -> bool:
    """Tell whether systemd is this machine's manager."""
    return os.path.isdir(_BOOTED)


def stop_units(actions: UnitActions) -> None:
    """Do what is to be done before the files change. Raises UnitFailed."""
    if actions.stop:
        _systemctl("stop", actions.stop)


def start_units(actions: UnitActions) -> None:
    """Do what is to be done once the files have changed. Raises UnitFailed."""
    if actions.reload_manager:
        _systemctl("daemon-reload", ())
    if actions.stop:
        # What failed and is no more would be shown as failed for ever; that nothing had failed is no fault.
        _run(["systemctl", "reset-failed", "--", *actions.stop])
    if actions.reload:
        _systemctl("reload-or-restart", actions.reload)
    # Only what runs: a unit that was stopped by hand stays so.
    if actions.restart:
        _systemctl("try-restart", actions.restart)
    if actions.start:
        _systemctl("start", actions.start)


def command_lines(actions: UnitActions) -> tuple[str, ...]:
    """Return the commands that these actions are, in order."""
    rows = [
        ("stop", actions.stop),
        *([("daemon-reload", ())] if actions.reload_manager else []),
        ("reload-or-restart", actions.reload),
        ("try-restart", actions.restart),
        ("start", actions.start),
    ]
    return tuple(
        " ".join(("systemctl", verb, *names)) for verb, names in rows if names or verb == "daemon-reload"
    )


class _Ended(Value):
    status: int
    said: str


def _systemctl(verb: str, names: Sequence[str]) -> None:
    words = ["systemctl", "--no-ask-password", verb, "--", *names] if names else ["systemctl", verb]
    ended = _run(words)
    if ended.status:
        raise UnitFailed(" ".join((verb, *names)), ended.said or f"it ended with status {ended.status}")


def _run(words: Sequence[str]) -> _Ended:
    try:
        done = subprocess.run(
            words, capture_output=True, check=False, timeout=_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return _Ended(1, str(problem))
    return _Ended(done.returncode, done.stderr.decode("utf-8", "replace")[:_SHOWN].strip())
