"""What environments read of packages, hosts and projects."""

import json
from collections.abc import Sequence

from denizen.fhs import maintainer_script, project_environment
from denizen.fhs.alternatives import alternatives_in, winners
from denizen.fhs.configuration_files import configuration_files_in
from denizen.fhs.control_archive import read_control
from denizen.fhs.diversions import DivertedPaths, diversions_in
from denizen.fhs.generations import read_generation
from denizen.fhs.host_etc import nsswitch
from denizen.fhs.package_conflicts import clashes
from denizen.fhs.state_directories import state_directories_in, wanted_directories
from denizen.fhs.system_accounts import accounts_in, lacking
from denizen.fhs.trigger_rules import StatePlaces
from denizen.formats.sysusers import read_sysusers, sysusers_text
from denizen.formats.tmpfiles import directories_in

# What is read again where that does not hide the time reading takes.
_SMALL = 10_000
CONTROL_TOKENS = (
    b"Depends: ", b"Conflicts: ", b"Provides: ", b"\n", b", ", b" | ", b" (", b"<< ", b">= ", b")", b":any",
    b"update-alternatives --install ", b" --slave ", b"/usr/bin/x ", b"\\\n", b"\0", b"$x", b"5",
)  # fmt: skip
SCRIPT_TOKENS = (
    b"update-alternatives --install ", b" --slave ", b"/usr/bin/x ", b"\\\n", b"\n", b"; ", b"$x", b" 5",
    b"x=", b"y=$x$x", b'"', b"'", b"${x}", b"*",
    b"\nfor x in ", b"\nfor y in $x ", b"; do ", b"; done", b"$(", b"#",
)  # fmt: skip
DECLARATION_TOKENS = (
    b"u ", b"g ", b"m ", b"d ", b"!", b"-", b":", b'"', b"\\", b"'", b"\n", b" /var/x", b"%u", b"33", b"..",
    b"\0",
)  # fmt: skip
NSSWITCH_TOKENS = (b"passwd:", b" files", b" [", b"NOTFOUND=return", b"]", b"\n", b"#", b":", b"sss")
PROJECT_TOKENS = (
    b"[fhs]\n", b"packages = [", b'"', b"]", b"binds = [", b"env = {", b"suite = ", b"\n", b"/", b"..", b":",
)  # fmt: skip
GENERATION_TOKENS = (
    b'"format": 1',
    b'"parts": ',
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"null",
    b"../",
    b"1e999",
    b",",
)


def read_package(data: bytes) -> None:
    control, _, postinst = data.partition(b"\0")
    found = read_control(control, postinst)
    clashes([found, found])
    winners(found.alternatives)


def packages() -> Sequence[bytes]:
    control = b"Package: a\nVersion: 1\nArchitecture: amd64\nProvides: b (= 1)\nConflicts: c (<< 2), d\n"
    postinst = b"update-alternatives --install /usr/bin/x x /usr/bin/y 5 \\\n --slave /usr/a a /usr/b\n"
    return [control + b"\0" + postinst, b"Package: a\n\0"]


def large_packages() -> Sequence[bytes]:
    many = b"Package: a\nConflicts: " + b", ".join([b"p%d (<< %d)" % (n, n) for n in range(20_000)]) + b"\n\0"
    slaves = b" ".join([b"--slave /usr/%d n%d /usr/x%d" % (n, n, n) for n in range(10_000)])
    return [
        many,
        b"Package: a\nProvides: " + b"|" * 400_000 + b"\n\0",
        b"Package: a\n\0update-alternatives --install /a b /c 5 " + slaves,
    ]


def read_script(data: bytes) -> None:
    maintainer_script._read.cache_clear()  # noqa: SLF001  # else repetitions of an input take no time
    winners(list(alternatives_in(data)))
    DivertedPaths([(one.path, one.to, None) for one in diversions_in(data, b"own")])
    list(configuration_files_in(data))
    list(state_directories_in(data))
    lacking(b"", b"", accounts_in(data))


def read_declarations(data: bytes) -> None:
    requests = read_sysusers(data)
    assert read_sysusers(sysusers_text(requests)) == requests
    lines = lacking(data, data, requests)
    assert not lacking(data + b"\n" + lines.passwd, data + b"\n" + lines.group, requests).passwd
    wanted_directories(directories_in(data), StatePlaces(("var",), ("var/a",)))


def declarations() -> Sequence[bytes]:
    return [
        b'g a 104\nu! b 33:a "B \\"c" /var/b /bin/sh\nu c -\nm c a\n# x\n',
        b"d /run/one 0755 root root -\nv /var/lib/two 0700\nL /run/x - - - - /y\nd /run/%u\n",
        b"root:x:0:0::/root:/bin/sh\nb:x:33:33::/:/bin/sh\n",
    ]


def large_declarations() -> Sequence[bytes]:
    return [
        b"".join(b"u n%d - x /y\n" % n for n in range(40_000)),
        b"".join(b"n%d:x:%d:1::/:/\n" % (n, n) for n in range(40_000)),
        b'u "' + b"\\a" * 250_000,
        b"d /var" + b"/.." * 160_000,
        b"u " + b'"" ' * 160_000,
        b"".join(b"d /var/%d\n" % n for n in range(50_000)),
    ]


def scripts() -> Sequence[bytes]:
    return [
        b"update-alternatives --quiet --install /usr/bin/x x /usr/bin/y 5 \\\n --slave /usr/a a /usr/b\n",
        b't=$(mktemp)\ncat /usr/share/a.ucf > "$t"\nucf --three-way "$t" /etc/a\n',
        b"a=/var/lib/b\nadduser --system --group --home $a --gecos 'B c' b\naddgroup g\ninstall -d -m 7 $a\n",
        b"dpkg-divert --package p --add --rename --divert /usr/bin/x.real /usr/bin/x\n",
        b'v=1.17\np="35"\nupdate-alternatives --install /a a /a-$v $p --slave /c c "/c-${v}" || true\n',
        (
            b"x='a b'\nif true; then\nfor t in $x; do\nfor u in c d; do\n"
            b"update-alternatives --install /bin/$t$u $t$u /opt/'j'/$t 7\ndone; done\nfi\n"
        ),
    ]


def large_scripts() -> Sequence[bytes]:
    """Each within what is read of a script, and longer than that where it says what comes first."""
    call = b"update-alternatives --install "
    names = [b"v%d" % n for n in range(6_000)]
    return [
        b"for x in" + b" a" * 50_000 + b"; do " + call + b"$x" * 50_000,
        b"x=aaaa\n" + b"".join([b"x%d=$x$x\nx=$x%d$x%d\n" % (n, n, n) for n in range(5_000)]) + call,
        call + b"".join([b"%s=\n" % name for name in names]) + b"for x in a\n" * 2_000,
        b"".join([b"%s=\n" % name for name in names[:3_000]]) + (call + b"\n") * 1_000,
        b"".join([b"for %s in a a\n" % name for name in names[:30]]) + call + b"$" + b"$".join(names[:30]),
        b"".join([b"for %s in a\n" % name for name in names[:3_900]]) + call,
        b"a='" + b"b " * 2_000 + b"'\nfor x in" + b" $a" * 6_000 + b"\n" + call + b" $x" * 5_000,
        call + b"a;" * 30_000,
        call + b'"' + b"$usr/a a" * 8_000,
        call + b"do " * 20_000,
        call + b"x" + b" --slave /a b /c" * 4_000,
        b"dpkg-divert /usr/x\n" * 4_000,
        b"adduser --system a\n" * 3_500,
        b"mkdir" + b" /var/a" * 9_000,
        b"dpkg-divert" + b" --divert=/a" * 5_000 + b" /b",
    ]


def read_nsswitch(data: bytes) -> None:
    found = nsswitch(data, lambda name: name == b"sss")
    if len(data) < _SMALL:
        assert nsswitch(found, lambda name: name == b"sss") == found


def some_nsswitch() -> Sequence[bytes]:
    return [b"passwd: files systemd\nhosts: files resolve [!UNAVAIL=return] dns # usual\n", b"group: sss\n"]


def large_nsswitch() -> Sequence[bytes]:
    # `etc.files` hands no more than 100 KB on.
    return [b"passwd:" + b" files" * 16_000, b"a: [" * 25_000, b"a: b\n" * 20_000]


def read_project(data: bytes) -> None:
    settings = project_environment.read(data, "/x/denizen.toml", "amd64")
    if len(data) < _SMALL:
        assert project_environment.unlocked(settings, project_environment.locked(settings, b"x")) == b"x"


def projects() -> Sequence[bytes]:
    return [
        b'[fhs]\npackages = ["a"]\nbinds = ["./a:/b"]\nsuite = "s"\nprofile = ""\n[fhs.env]\nA = "b"\n',
        b"[fhs]\n",
    ]


def large_projects() -> Sequence[bytes]:
    return [b"[fhs]\npackages = [" + b'"a", ' * 3_000 + b"]\n", b"a = " + b"[" * 200_000]


def generations() -> Sequence[bytes]:
    record = {
        "format": 1, "number": 1, "tree": "0" * 32 + "-fhs", "made": 1, "packages": ["a"], "suites": [],
        "architectures": ["amd64"], "locales": [], "bindings": [["/a", "/b", False]],
        "environment": {"A": "b"}, "profile": "", "parts": [["a", "1", "amd64", "s", "d", "0"]],
    }  # fmt: skip
    return [json.dumps(record).encode()]


def large_generations() -> Sequence[bytes]:
    return [b"[" * 500_000, b'{"a": ' * 100_000]


read_record = read_generation
