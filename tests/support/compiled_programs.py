"""Programs and libraries that gcc makes, once for all tests of this process that want the same."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


def compiled(words: Sequence[str], inputs: Mapping[str, bytes]) -> bytes:
    """Return what gcc makes of `words` in a directory that has the files `inputs`.

    The words are all that the result depends on besides: inputs are named as they are in that directory.
    """
    return _compiled(tuple(words), tuple(sorted(inputs.items())))


@cache
def _compiled(words: tuple[str, ...], inputs: tuple[tuple[str, bytes], ...]) -> bytes:
    with TemporaryDirectory() as name:
        directory = Path(name)
        for file, content in inputs:
            (directory / file).write_bytes(content)
        subprocess.run(["gcc", "-o", "a.out", *words], cwd=directory, check=True)
        return (directory / "a.out").read_bytes()
