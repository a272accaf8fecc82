"""The command line in the single file: `python -I -S FILE IGNORED-SIGNALS COMMAND...`.

tools/single_file.py makes it. The launcher (loader/bundle.c) has mapped Python itself, and nothing stood
before it that could have told which signals were ignored: it gives their numbers as the first argument.
"""

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    sys.path.append(_HOME)
    ignored = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if ignored:
        from denizen.launch.process_state import IGNORED

        os.environ[IGNORED] = ignored
    from denizen.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    status = main()
    from denizen.cli.main import leave

    leave(status)
