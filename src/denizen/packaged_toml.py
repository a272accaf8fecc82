"""The TOML files that come with denizen, as Python values.

To import `tomllib` and parse rules.toml takes 10 ms, of which a program that waits for a library would have
to wait for each. So the document is kept as marshal in the `__pycache__` beside its file, written by any
process that may write there and trusted like the .pyc files in it, for a file with exactly this time and
size. Nothing depends on it.

    marshal of (mtime in ns of the TOML file, its size, the document)
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def packaged_toml(path: str) -> dict[str, Any]:
    """Return the document of a TOML file of this package, without dates in it. Raises OSError."""
    facts = os.stat(path)
    stamp = (facts.st_mtime_ns, facts.st_size)
    kept = _kept_path(path)
    try:
        with open(kept, "rb", buffering=0) as stream:
            *found, document = marshal.loads(stream.readall())  # noqa: S302  # as Python reads the .pyc files beside it
        if tuple(found) == stamp and isinstance(document, dict):
            return document
    except (OSError, ValueError, EOFError, TypeError):
        pass  # it is missing or incomplete: the file is parsed
    import tomllib

    with open(path, "rb") as text:
        document = tomllib.load(text)
    _keep(kept, marshal.dumps((*stamp, document)))
    return document


def _kept_path(path: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, "__pycache__", f"{name}.{sys.implementation.cache_tag}")


def _keep(path: str, content: bytes) -> None:
    """Write the file, if Python would write a .pyc file and the directory can be written."""
    if sys.dont_write_bytecode:
        return
    # As disk.temporary_name, without one more module on the way to a program.
    temporary = f"{path}.{os.urandom(8).hex()}"
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError:
        return
