"""The words that start denizen itself, isolated from the caller's environment: of a helper, of a decision.

In the single file (tools/single_file.py) a launcher lies beside the unpacked files, and a file beside the
package says where: the loader starts a helper without an environment, in which the single file would not
find again where it was unpacked to.
"""

from __future__ import annotations

import os
import sys

# Beside the package: the launcher's path from there.
LAUNCHER_NOTE = "denizen-launcher"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def own_command(package: str = _PACKAGE) -> tuple[str, ...]:
    """Return the words before denizen's command line, given the directory of its package."""
    home = os.path.dirname(package)
    try:
        with open(os.path.join(home, LAUNCHER_NOTE), encoding="utf-8") as note:
            return (os.path.normpath(os.path.join(home, note.read())),)
    except FileNotFoundError:
        # Isolated: a foreign program's variables and working directory must not decide what is imported.
        # `site` would cost 2 ms and more (cli.main.put_off_site).
        return (sys.executable, "-I", "-S", os.path.join(package, "cli", "isolated.py"))
