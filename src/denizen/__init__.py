"""denizen: any Linux program runs on any Linux machine.

A .pyc file that Python cannot write to its end is removed: before 3.12.8 and 3.13.1 Python leaves the
beginning of it where the disk fills or RLIMIT_FSIZE ends the write (github.com/python/cpython/issues/126606),
and can never import that module again.
"""

import posix  # which importlib has; `os` would be an import more in the loader's helper
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import SourceFileLoader

__version__ = "0.1.0"


def _keep_bytecode_whole() -> None:
    # By its frozen name: importlib.machinery would be imported for nothing else.
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    write = loader.set_data

    def set_data(self: "SourceFileLoader", path: str, data: bytes, *, _mode: int = 0o666) -> None:
        write(self, path, data, _mode=_mode)
        try:
            if posix.stat(path).st_size < len(data):
                posix.unlink(path)
        except OSError:
            pass  # it was not written at all, or is gone already

    loader.set_data = set_data


_keep_bytecode_whole()
