"""A program of an unpacked package, started by another program: it has what it would have by itself."""

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item

pytestmark = pytest.mark.slow

_STARTS = "#include <unistd.h>\nint main(int count, char **words) { execv(words[1], words + 1); return 9; }"
_READS = """
#include <stdio.h>
int main(int count, char **words) {
    char line[99] = "nothing\\n";
    FILE *of = fopen("/usr/share/viewer/text", "r");
    if (of) fgets(line, sizeof line, of);
    return printf("%s told %s", words[count - 1], line) < 0;
}
"""


def test_a_child_enters_the_environment_that_is_decided_for_it(tmp_path: Path) -> None:
    """evince-thumbnailer, started by Python, found none of the plugins that lie in another package."""
    (tmp_path / "viewer.c").write_text(_READS)
    subprocess.run(["gcc", "-w", "-o", tmp_path / "viewer", tmp_path / "viewer.c"], check=True)
    code = (tmp_path / "viewer").read_bytes()
    bare = BareProgram(
        "bare root",
        tmp_path,
        _STARTS,
        ("viewer", [Item("./usr/bin/viewer", content=code, mode=0o755)]),
        ("viewer-data", [Item("./usr/share/viewer/text", content=b"of its own release\n")]),
        controls={"viewer": {"depends": "viewer-data (= 1)"}},
    )
    _unpack(bare.directories.programs / "unpacked" / "usr", code)
    child = f"{bare.host.directories.programs}/unpacked/usr/bin/viewer"
    for _ in range(2):
        done = bare.run("namespace", child, "x y")
        assert (done.status, done.out) == (0, "x y told of its own release\n"), done.err


def _unpack(top: Path, code: bytes) -> None:
    documents = top / "share/doc/viewer"
    documents.mkdir(parents=True)
    (documents / "changelog.gz").write_bytes(gzip.compress(b"viewer (1) unstable; urgency=low\n"))
    (top / "bin").mkdir()
    (top / "bin/viewer").write_bytes(code)
    (top / "bin/viewer").chmod(0o755)
