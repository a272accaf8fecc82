"""The same facts as readelf's, of the machine's own files.

readelf follows section headers where this reader follows program headers, so agreement says that both
ways lead to the same place.
"""

import os
import re
import subprocess
import sysconfig

import pytest

from denizen.disk_view import DiskView
from denizen.elf import Image, read
from tests.support.peers import require

pytestmark = pytest.mark.peer

SAMPLE = 40
# index, binding, section, name@version; a note in brackets may stand between
SYMBOL = re.compile(
    r"^ +(\d+): [0-9a-f]+ +\S+ \S+ +(\S+) +\S+ +(?:\[[^]]*\] +)?(\S+)(?: +(\S+))?", re.MULTILINE
)
# offset and address behind a segment's type, which may be one that readelf does not know
SEGMENT = re.compile(
    r"^  (?:[A-Z_]+|<unknown>[^0-9]*|LOOS\+\S+) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x", re.MULTILINE
)
DIRECTORIES = (b"/usr/bin", b"/usr/lib/" + sysconfig.get_config_var("MULTIARCH").encode(), b"/usr/lib32")


def sample() -> list[bytes]:
    """Every nth ELF file, the same ones on the same machine."""
    found: list[bytes] = []
    for directory in filter(os.path.isdir, DIRECTORIES):
        paths = sorted({os.path.realpath(entry.path) for entry in os.scandir(directory) if entry.is_file()})
        elf = [path for path in paths if is_elf(path)]
        found += elf[:: max(1, len(elf) // SAMPLE)]
    return found


def is_elf(path: bytes) -> bool:
    with open(path, "rb") as stream:
        head = stream.read(18)
    return head.startswith(b"\x7fELF") and head[16:18] in (b"\2\0", b"\3\0")


def readelf(path: bytes, *options: str) -> str:
    done = subprocess.run(
        [b"readelf", *map(os.fsencode, options), path], capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    return done.stdout.decode("utf-8", "surrogateescape")


def image_of(path: bytes) -> Image:
    return read(DiskView().read(path))


@pytest.fixture(params=sample(), ids=os.fsdecode)
def path(request: pytest.FixtureRequest) -> bytes:
    require("readelf")
    found: bytes = request.param
    return found


def test_names_in_the_dynamic_section_agree(path: bytes) -> None:
    rows = re.findall(r"\((NEEDED|SONAME|RPATH|RUNPATH)\).*?\[(.*)\]", readelf(path, "-dW"))
    dynamic = image_of(path).dynamic
    ours = []
    if dynamic is not None:
        ours = [("NEEDED", name) for name in dynamic.needed]
        single = (("SONAME", dynamic.soname), ("RPATH", dynamic.rpath), ("RUNPATH", dynamic.runpath))
        ours += [(tag, text) for tag, text in single if text is not None]
    assert sorted(rows) == sorted((tag, os.fsdecode(text)) for tag, text in ours)


def test_symbols_and_their_versions_agree(path: bytes) -> None:
    lines = SYMBOL.findall(readelf(path, "--dyn-syms", "-W"))
    symbols = image_of(path).symbols
    assert len(lines) == symbols.count
    names = [re.split("@", name)[0] for *_, name in lines]
    assert names == [os.fsdecode(name) for name in symbols.names]
    undefined = {int(i): name for i, bind, section, name in lines if section == "UND" and bind != "LOCAL"}
    ours = {
        u.index: os.fsdecode(u.name + (b"@" + u.version if u.version else b"")) for u in symbols.undefined
    }
    assert undefined == ours


def test_version_tables_agree(path: bytes) -> None:
    text = readelf(path, "-VW")
    image = image_of(path)
    assert re.findall(r"File: (\S+)  Cnt", text) == [os.fsdecode(n.file) for n in image.version_needs]
    wanted = re.findall(r"  Name: (\S+)  Flags: (\S+)  Version: (\d+)", text)
    ours = [
        (os.fsdecode(v.name), "WEAK" if v.weak else "none", str(v.number))
        for need in image.version_needs
        for v in need.versions
    ]
    assert wanted == ours
    defined = re.findall(r"Rev: 1  Flags: \S+  +Index: (\d+)  Cnt: (\d+)  Name: (\S+)", text)
    assert defined == [
        (str(d.number), str(1 + len(d.parents)), os.fsdecode(d.name)) for d in image.version_definitions
    ]


def test_notes_and_segments_agree(path: bytes) -> None:
    image = image_of(path)
    found = re.search(r"Build ID: ([0-9a-f]+)", readelf(path, "-nW"))
    assert (image.notes.build_id or b"").hex() == (found[1] if found else "")
    interpreter = re.search(r"Requesting program interpreter: (.*)\]", text := readelf(path, "-lW"))
    assert os.fsdecode(image.interpreter or b"") == (interpreter[1] if interpreter else "")
    rows = re.findall(
        r"^  (?:[A-Z_]+|<unknown>[^0-9]*|LOOS\+\S+) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x", text, re.MULTILINE
    )
    assert rows == [(f"{s.offset:06x}", f"{s.address:0{image.header.bits // 4}x}") for s in image.segments]
