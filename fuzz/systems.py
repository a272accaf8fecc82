"""Descriptions of systems, manifests of their generations, and what is noted in /etc."""

import json
from collections.abc import Sequence

from denizen.system import name_rules
from denizen.system.accounts import AccountConflict, AccountFiles, with_accounts
from denizen.system.declared_texts import declared_texts
from denizen.system.etc_record import EtcRecord, read_record, write_record
from denizen.system.spec import GroupSpec, OnChange, UserSpec
from denizen.system.spec_reader import read_system_spec
from denizen.system.system_manifest import (
    ManagedFile,
    SystemManifest,
    SystemUnit,
    read_system,
    write_system,
)
from denizen.system.unit_files import installed_links

SPEC_TOKENS = (
    b"[etc.", b"[users.", b"[units.'", b"[directories.'/", b"[boot]\n", b"text = ''\n", b"source = '../",
    b"..", b"mode = '7777'\n", b"uid = 0\n", b"kernel = {", b"enable = true\n", b"[Install]\\nWantedBy=",
    b"\\n", b"\\u0000", b"]\n", b'"',
)  # fmt: skip
_SPEC = b"""name = "box"
packages = ["zip=3.0-15"]
suite = "trixie"
[etc.motd]
text = "x"
mode = "0640"
[users.app]
uid = 900
groups = ["video"]
[directories."/var/lib/app"]
age = "10d"
[units."a.service"]
text = "[Install]\\nWantedBy=multi-user.target\\n"
enable = true
[environment]
A = "b"
[boot]
kernel = { source = "k" }
options = ["quiet"]
"""


def read_spec(data: bytes) -> None:
    spec = read_system_spec(data, "system.toml")
    for one in spec.etc:
        assert not name_rules.etc_path(one.path)
    for text in declared_texts(spec, "/sw").values():
        # A line for each entry: no value of it begins a line of its own.
        assert text.count(b"\n") <= 5 + len(spec.environment) + len(spec.directories) + len(
            spec.groups
        ) + sum(1 + len(one.groups) for one in spec.users)
    for unit in spec.units:
        for path in installed_links(unit.name, (unit.origin.text or "").encode())[0]:
            assert not name_rules.etc_path(path)


def specs() -> Sequence[bytes]:
    return [_SPEC, b'[etc.a]\nsource = "b"\n']


def large_specs() -> Sequence[bytes]:
    many = b"".join(b"[etc.'%d/a']\ntext = ''\n" % number for number in range(600))
    return [many, b"[" * 200_000, b"a." * 100_000 + b"b = 1", b"x = {" + b"a." * 100_000]


MANIFEST_TOKENS = (b'"etc"', b'"boot"', b"null", b"true", b"-1", b"1e999", b'"../.."', b"\\u0000", b"[[")
read_manifest = read_system


def manifests() -> Sequence[bytes]:
    manifest = SystemManifest(
        "box",
        (ManagedFile("motd", "0" * 64, 0o640),),
        (UserSpec("app", 900),),
        (GroupSpec("video"),),
        units=(SystemUnit("a.service", "0" * 64, True, OnChange.RELOAD),),
    )
    return [write_system(manifest)]


def large_manifests() -> Sequence[bytes]:
    rows = [[f"{number}", "0" * 64, None, "root", "root"] for number in range(20_000)]
    return [b"[" * 500_000, json.dumps(json.loads(manifests()[0]) | {"etc": rows}).encode()]


RECORD_TOKENS = (b"path ", b"added ", b"removed ", b"made ", b"generation ", b"../", b"static", b"\n", b"\0")


def read_etc_record(data: bytes) -> None:
    record = read_record(data, b"x")
    assert read_record(write_record(record), b"x") == record
    assert not any(name_rules.etc_path(path) for path in (*record.paths, *record.added, *record.removed))


def records() -> Sequence[bytes]:
    return [write_record(EtcRecord("0" * 32 + "-box", ("a", "b/c"), ("b/c",), ("d",), ("b",)))]


def large_records() -> Sequence[bytes]:
    return [records()[0] + b"".join(b"path %d\n" % number for number in range(10_000))]


ACCOUNT_TOKENS = (b":x:", b":0:", b"root", b"+::::\n", b"\n", b",", b"999", b"99999999999")


def read_accounts(data: bytes) -> None:
    """The same bytes as every file: each wanted account is there afterwards, and nothing is lost."""
    users = (UserSpec("app", 900, groups=("video",)), UserSpec("other"))
    try:
        done = with_accounts(AccountFiles(data, data, data, data), users, (GroupSpec("video"),), 1).files
    except AccountConflict:
        return
    assert b"app:" in done.passwd
    assert done.passwd.count(b"\n") >= data.count(b"\n")


def accounts() -> Sequence[bytes]:
    return [b"root:x:0:0:root:/root:/bin/sh\nvideo:x:44:root\n+::::::\n"]


def large_accounts() -> Sequence[bytes]:
    return [b"".join(b"u%d:x:%d:%d::/:/bin/sh\n" % (number, number, number) for number in range(2_000))]
