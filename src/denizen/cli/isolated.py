"""Run denizen's command line under `python -I`: `python -I FILE COMMAND...`.

Isolated, Python reads no variable, no user site and not the working directory, so `-m denizen` finds an
installation in site-packages alone. This file is named by its path and knows by that where the rest is.
"""

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    # Last, so that nothing beside denizen can stand before the standard library.
    if _HOME not in sys.path:
        sys.path.append(_HOME)
    from denizen.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
