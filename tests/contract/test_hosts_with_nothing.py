"""Starts on a host that has no C library at all, or the other one's programs only."""

from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item
from tests.support.peers import require

pytestmark = pytest.mark.slow

_SAYS = """
#include <stdio.h>
int main(int count, char **words) {
    char line[4096];
    printf("%d words\\n", count);
    for (FILE *maps = fopen("/proc/self/maps", "r"); fgets(line, sizeof line, maps);)
        if (strstr(line, "/ld-musl") || strstr(line, "/libc.so")) fputs(line, stdout);
    return 0;
}
"""
_MUSL = Path("/lib/ld-musl-x86_64.so.1")


@pytest.mark.parametrize("host", ["bare root", "no user namespaces"])
def test_a_program_of_musl_gets_musl_and_a_program_of_glibc_glibc(host: str, tmp_path: Path) -> None:
    require("bwrap", "musl-gcc")
    musl = Item(f".{_MUSL}", content=_MUSL.read_bytes(), mode=0o755)
    source = f"#include <string.h>{_SAYS}"
    for compiler, own, others in (("musl-gcc", "ld-musl", "/libc.so.6"), ("gcc", "/libc.so.6", "ld-musl")):
        place = tmp_path / compiler
        place.mkdir()
        bare = BareProgram(host, place, source, ("musl", [musl]), compiler=compiler)
        done = bare.host.run(bare.host.denizen("run", bare.path, "one"))
        assert done.out.startswith("2 words\n"), done.err
        assert own in done.out
        assert others not in done.out
