"""Python's SQLite, the C module, imported without `functools`.

The module wants `functools.lru_cache` for the statements that a connection has prepared, and finds it by an
import: functools and collections, which nothing else here needs, take 2 ms where `python3 -c pass` takes 9.
While it is imported, a module of that name stands in which has this one function, made of the C code that
functools itself uses.
"""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_NAME = "functools"


def _stand_in() -> ModuleType | None:
    """Return the module that stands in; None where functools is imported already or may be by a thread."""
    if _NAME in sys.modules or _thread._count():  # noqa: SLF001  # threading.active_count, of a heavy module
        return None
    try:
        from _functools import _lru_cache_wrapper as wrapper  # type: ignore[import-not-found]  # not in typeshed
    except ImportError:  # another Python than CPython
        return None

    def lru_cache(size: int) -> Callable[[object], object]:
        return lambda function: wrapper(function, size, False, tuple)  # typed=False

    found = type(sys)(_NAME)
    found.lru_cache = lru_cache  # type: ignore[attr-defined]  # what stands in has nothing else
    return found


_standing_in = _stand_in()
if _standing_in is not None:
    sys.modules[_NAME] = _standing_in
try:
    import _sqlite3 as sqlite3
finally:
    if _standing_in is not None:
        del sys.modules[_NAME]

__all__ = ["sqlite3"]
