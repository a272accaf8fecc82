"""The entry point: it opens the module cache of the command, hands the words to `dispatch`, ends the process.

Errors become lines and exit statuses in dispatch.py and output.py; errors.py has the numbers.

Start-up time is part of the contract (`denizen --version` within 1.7 times `python3 -c pass`), so this module
imports only what Python itself has loaded until the command is known, and a command's module only when that
command runs.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import NoReturn

# One command makes some 100,000 tuples and dicts that live until its end. Python's own threshold of 700
# looks through them for cycles again and again: a sixth of `why --host`.
COLLECT_FROM = 200_000
# Python runs `site` at its start if this is set, and what it finds there: sitecustomize, code of .pth files.
SITE = "DENIZEN_SITE"


def put_off_site() -> None:
    """Have `site` run before the first import of what is not Python's or denizen's, after a start without it.

    It reads the .pth files of all directories of packages, and runs code in them: 2 ms in an environment of
    its own where `python3 -c pass` takes 9, and 20 in a Python with many packages. From then on all is as in
    a Python that was started with it.
    """
    if SITE in os.environ:
        __import__("site").main()
    else:
        sys.meta_path.append(_SiteFinder())


class _SiteFinder:
    """The last finder, asked for modules that no other one has."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if path is not None:  # of a package that is here
            return None
        sys.meta_path.remove(self)
        __import__("site").main()
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        return next((spec for spec in found if spec is not None), None)


def main() -> int:
    """Run the command line in `sys.argv`; return the exit status."""
    gc.set_threshold(COLLECT_FROM)
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        return _say_version()
    try:
        _let_interrupt_in()
        return _dispatch(arguments)
    except KeyboardInterrupt:
        # Ctrl-C while modules are imported, outside `dispatch`, which handles it otherwise.
        from denizen.errors import EXIT_INTERRUPTED

        return EXIT_INTERRUPTED
    except Exception as error:
        # The same outside `dispatch`: modules that are imported for it.
        from denizen.errors import EXIT_FAILED, NO_MEMORY, lacks_memory

        if not lacks_memory(error):
            raise
        os.write(2, NO_MEMORY)
        return EXIT_FAILED


def _let_interrupt_in() -> None:
    """Unblock SIGINT where the command blocked it, lest it meet Python's start (loader/front).

    Raises KeyboardInterrupt.
    """
    if "interrupt" in sys._xoptions:  # noqa: SLF001  # documented, with this name
        import _signal  # type: ignore[import-not-found]  # as launch.process_state says

        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))


def leave(status: int) -> "NoReturn":
    """End the process without taking the interpreter apart object by object, which takes 3 to 6 ms.

    Every command has closed what it opened, and `dispatch` has turned every error into a status.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # Python's stream is None where its descriptor was closed
            stream.flush()
    os._exit(status)


def _dispatch(arguments: list[str]) -> int:
    from denizen.cli.module_cache import MAX_MODULES, ModuleCache, cache_name

    name = cache_name(arguments)
    if name not in MAX_MODULES:
        from denizen.cli.dispatch import dispatch

        return dispatch(arguments)
    cache = ModuleCache(name)
    cache.use()
    from denizen.cli.dispatch import dispatch

    status = dispatch(arguments, cache.keep)
    cache.keep()
    return status


def _say_version() -> int:
    from denizen import __version__

    try:
        # Python's stream is None where descriptor 1 is closed.
        os.write(1, f"denizen {__version__}\n".encode())
    except OSError as error:
        from denizen.errors import EXIT_FAILED

        if sys.stderr is not None:
            sys.stderr.write(f"denizen: cannot write the result\n  {error.strerror}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
