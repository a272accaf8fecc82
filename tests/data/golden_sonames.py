"""Proposes rows for golden_sonames.tsv, from what apt and dpkg know: denizen's own index is not asked.

    python -m tests.data.golden_sonames CORPUS.json DIRECTORY > proposal.tsv

The sonames are those the corpus's programs need, those of the 100 libraries most packages of trixie depend
on, and `EXTRA`; what no package of the archive has is left out. For each, the packages of the first suite
that has it are fetched and asked what dpkg-shlibdeps asks: their `shlibs` control file, in which a
maintainer says which package a soname means. One answer is a row (`shlibs`); where there are several
or none, the last column lists who claims it and who ships it, and a person decides, and writes the
reason there instead.

DIRECTORY keeps an apt of its own and the packages (1.5 GB).
"""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from denizen.disk_view import DiskView
from denizen.sources.source_settings import default_debian
from tests.support.apt import Apt

SUITES = ("trixie", "bookworm", "bullseye", "sid")
TRIPLETS = {"amd64": "x86_64-linux-gnu", "i386": "i386-linux-gnu", "arm64": "aarch64-linux-gnu"}
MACHINES = {"x86-64": "amd64", "i386": "i386", "aarch64": "arm64"}
POPULAR = 100
# Named by the issue, or cases of their own: alternatives, older suites, other architectures, musl.
EXTRA = {
    "amd64": (
        "libGL.so.1 libcrypt.so.1 libssl.so.3 libssl.so.1.1 libcrypto.so.1.1 libblas.so.3 liblapack.so.3 "
        "libopenblas.so.0 libjpeg.so.62 libtinfo.so.5 libncurses.so.5 libncursesw.so.5 libstdc++.so.6 "
        "ld-linux-x86-64.so.2 ld-musl-x86_64.so.1 libpython3.9.so.1.0 libicuuc.so.67 libicuuc.so.72 "
        "libffi.so.7 libtiff.so.5 libwebp.so.6 libldap-2.4.so.2 libavcodec.so.58 libavcodec.so.61 "
        "libboost_system.so.1.74.0 libfuse.so.2 libnsl.so.2 libappindicator3.so.1 libtbb.so.2 "
        "libpcre.so.3 libaio.so.1 libwebkit2gtk-4.0.so.37 libmng.so.1 libusb-0.1.so.4 libmvec.so.1"
    ),
    "i386": (
        "ld-linux.so.2 libGL.so.1 libX11.so.6 libcrypt.so.1 libncurses.so.5 libtinfo.so.6 libcurl.so.4 "
        "libssl.so.3 libasound.so.2 libSDL2-2.0.so.0 libuuid.so.1 libxcb.so.1"
    ),
    "arm64": (
        "ld-linux-aarch64.so.1 ld-musl-aarch64.so.1 libGL.so.1 libcrypt.so.1 libz.so.1 libssl.so.3 "
        "libssl.so.1.1 libstdc++.so.6 libblas.so.3 libgomp.so.1 libtinfo.so.6 libfontconfig.so.1"
    ),
}
Name = tuple[str, str]


def main(corpus: Path, directory: Path) -> None:
    setting = default_debian(DiskView())
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    apt = Apt(directory / "apt", setting.uris[0], SUITES, tuple(TRIPLETS), keyring)
    apt.run("apt-file", "update")
    popular = most_depended_on(apt)
    claims = shlibs_of(fetched(apt, directory / "debs", {(name, "amd64", "trixie") for name in popular}))
    # One of each: libicu alone has six, which would say the same six times.
    first = {package: soname for soname, _, package in sorted(claims, reverse=True) if ".so." in soname}
    names = set(needed(corpus)) | {(soname, "amd64") for soname in first.values()}
    names |= {(soname, architecture) for architecture, some in EXTRA.items() for soname in some.split()}
    shipped = shippers(apt, names)
    wanted = {(package, name[1], suite) for name in names for suite, package, _ in newest(shipped[name])}
    claims |= shlibs_of(fetched(apt, directory / "debs", wanted))
    for name in sorted([name for name in names if shipped[name]], key=lambda name: (name[1], name[0])):
        sys.stdout.write("\t".join(row(name, newest(shipped[name]), claims)) + "\n")


def needed(corpus: Path) -> Iterator[Name]:
    """What the corpus's programs and their packages need from outside."""
    for program in json.loads(corpus.read_text()):
        for soname in {*program["external_needed"], *(program.get("package_external_needed") or ())}:
            yield soname, MACHINES[program["arch"]]


def most_depended_on(apt: Apt) -> list[str]:
    """Packages of trixie's sections of libraries, by how many packages depend on them."""
    (lists,) = apt.root.glob("lists/*_trixie_main_binary-amd64_Packages*")
    counts: Counter[str] = Counter()
    libraries = set()
    for paragraph in content(apt, lists).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
        if fields.get("Section") in ("libs", "oldlibs") and fields["Package"].startswith(("lib", "zlib")):
            libraries.add(fields["Package"])
        relations = f"{fields.get('Depends', '')}, {fields.get('Pre-Depends', '')}".split(", ")
        counts.update({relation.partition(" ")[0].partition(":")[0] for relation in relations})
    return [name for name, _ in counts.most_common() if name in libraries][:POPULAR]


def shippers(apt: Apt, names: Iterable[Name]) -> dict[Name, list[tuple[str, str, str]]]:
    """(suite, package, directory) of each file that is called as a soname."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for soname, architecture in names:
        wanted[architecture].add(soname)
    found: dict[Name, list[tuple[str, str, str]]] = defaultdict(list)
    for architecture, sonames in wanted.items():
        for suite in SUITES:
            (path,) = apt.root.glob(f"lists/*_{suite}_main_Contents-{architecture}*")
            for line in content(apt, path).splitlines():
                directory, _, rest = line.rpartition(" ")[0].rstrip().rpartition("/")
                if rest in sonames:
                    owners = line.rpartition(" ")[2].split(",")
                    found[rest, architecture] += [(suite, o.rpartition("/")[2], directory) for o in owners]
    return found


def newest(hits: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Those of the first suite that has it on the search path, else of the first that has it at all."""
    searched = [hit for hit in hits if is_searched(hit[2])]
    suites = [hit[0] for hit in searched or hits]
    return [hit for hit in searched or hits if hit[0] == min(suites, key=SUITES.index)]


def is_searched(directory: str) -> bool:
    inner = directory.removeprefix("usr/")
    return inner in ("lib", "lib64", *(f"lib/{triplet}" for triplet in TRIPLETS.values()))


def fetched(apt: Apt, directory: Path, packages: set[tuple[str, str, str]]) -> dict[Path, tuple[str, str]]:
    """The .deb of each (package, architecture, suite), with architecture and suite."""
    found = {}
    for package, architecture, suite in sorted(packages):
        place = directory / suite / architecture / package
        if not any(place.glob("*.deb")):
            place.mkdir(parents=True, exist_ok=True)
            wanted = f"{package}:{architecture}/{suite}"
            subprocess.run(["apt-get", "download", "-qq", wanted], cwd=place, env=apt.environment, check=True)
        found[next(place.glob("*.deb"))] = architecture, suite
    return found


def shlibs_of(packages: dict[Path, tuple[str, str]]) -> set[tuple[str, str, str]]:
    """(soname, architecture, package) of each soname a package says means itself (deb-shlibs(5))."""
    found = set()
    for path, (architecture, _) in packages.items():
        package = path.name.partition("_")[0]
        done = subprocess.run(["dpkg-deb", "-I", path, "shlibs"], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            words = line.split()
            if len(words) >= 3 and not words[0].endswith(":") and words[2] == package:
                found.add((f"{words[0]}.so.{words[1]}", architecture, package))
                found.add((f"{words[0]}-{words[1]}.so", architecture, package))
    return found


def row(name: Name, hits: list[tuple[str, str, str]], claims: set[tuple[str, str, str]]) -> list[str]:
    soname, architecture = name
    claiming = sorted({package for _, package, _ in hits if (soname, architecture, package) in claims})
    shipping = sorted({package for _, package, _ in hits})
    if len(claiming) == 1:
        return [soname, architecture, hits[0][0], claiming[0], "shlibs"]
    return [soname, architecture, hits[0][0], "?", f"claimed by {claiming}, shipped by {shipping}"]


def content(apt: Apt, path: Path) -> str:
    """A list of apt's, whatever it is compressed with."""
    return apt.run("/usr/lib/apt/apt-helper", "cat-file", str(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
