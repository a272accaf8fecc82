"""The command line under `python -I -S`: `python -I -S FILE COMMAND...`.

Isolated, Python reads no variables, no user site and not the working directory, so that `-m denizen` finds
only an installation in site-packages. This file is named by its path and finds the rest of denizen by that.
`site` is put off (main.put_off_site).
"""

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    # Appended last, so that no file beside denizen hides a module of the standard library.
    there = _HOME in sys.path
    if not there:
        sys.path.append(_HOME)
    from denizen.cli.main import main as command_line
    from denizen.cli.main import put_off_site

    if sys.flags.no_site:
        if not there:
            sys.path.remove(_HOME)  # modules of other packages beside denizen are for `site` to find
        put_off_site()
    return command_line()


if __name__ == "__main__":
    status = main()
    from denizen.cli.main import leave

    leave(status)
