from pathlib import Path

import pytest

from denizen.fileview import MemoryView, Stat
from denizen.formats.armor import BEGIN
from denizen.sources.apt_configuration import apt_checks_expiry
from denizen.sources.public_mirrors import PUBLIC_MIRRORS
from denizen.sources.source_settings import (
    DEFAULT_SUITES,
    HOST_KEYRINGS,
    BadSetting,
    NoKeyring,
    Setting,
    settings,
)
from denizen.value import replace

CONFIG = b"/config"
RING = b"/usr/share/keyrings/debian-archive-keyring.gpg"
SHIPPED = "denizen's copy of Debian's keyring"


def found(files: dict[bytes, bytes]) -> list[Setting]:
    return settings(MemoryView(dict(files)), CONFIG)


def only(files: dict[bytes, bytes]) -> Setting:
    (setting,) = found(files)
    return setting


def keyrings(setting: Setting) -> list[str]:
    return [keyring.name for keyring in setting.keyrings]


def test_with_nothing_configured_there_are_public_mirrors_and_the_shipped_keyring() -> None:
    setting = only({})
    assert (setting.name, setting.uris, setting.suites) == ("debian", PUBLIC_MIRRORS, DEFAULT_SUITES)
    assert (setting.origin, keyrings(setting)) == ("public mirrors", [SHIPPED])


def test_the_machines_apt_gives_the_address_but_not_the_suites() -> None:
    entry = (
        b"Types: deb\nURIs: http://near/debian\nSuites: bookworm\nComponents: main contrib\nSigned-By: "
        + RING
    )
    setting = only({b"/etc/apt/sources.list.d/debian.sources": entry, RING: b"keys"})
    assert (setting.uris, setting.suites) == (("http://near/debian",), DEFAULT_SUITES)
    assert setting.components == ("main", "contrib")
    # Debian's own keyring may be older than the suites asked for; the shipped copy helps it out.
    assert keyrings(setting) == [RING.decode(), SHIPPED]


@pytest.mark.parametrize("directory", [b"/etc/apt/sources.list.d", CONFIG])
def test_a_hidden_file_is_an_editors(directory: bytes) -> None:
    entry = b"Types: deb\nURIs: http://near/debian\nSuites: bookworm\n"
    assert only({directory + b"/.#debian.sources": entry}).uris == PUBLIC_MIRRORS


def test_a_line_of_sources_list_does_as_well_and_may_allow_what_has_expired() -> None:
    line = b"deb [check-valid-until=no] http://near/debian bookworm main\n"
    setting = only({b"/etc/apt/sources.list": line})
    assert (setting.uris, setting.check_valid_until) == (("http://near/debian",), False)


@pytest.mark.parametrize(
    "entry",
    [
        b"Signed-By: /vendor.gpg\n",
        b"Signed-By:\n " + BEGIN + b"\n .\n",
        b"Signed-By: /gone.gpg\n",
        b"Signed-By: 0123ABCD\n",
    ],
    ids=["file", "block", "missing", "fingerprint"],
)
def test_whom_apt_trusts_with_an_entry_is_not_trusted_with_debian(entry: bytes) -> None:
    text = b"Types: deb\nURIs: http://vendor/repo\nSuites: stable\nComponents: main\n" + entry
    setting = only({b"/etc/apt/sources.list.d/vendor.sources": text, b"/vendor.gpg": b"keys"})
    assert keyrings(setting) == [SHIPPED]
    # The address is asked, for it could be a mirror; its Release must say so, else the public ones are.
    assert (setting.uris, setting.release_origin) == (("http://vendor/repo",), "Debian")
    assert setting.fallback == PUBLIC_MIRRORS


def test_every_entry_that_could_be_debians_gives_its_address() -> None:
    lines = (
        b"deb http://vendor/repo stable main\n"
        b"deb [check-valid-until=no] http://other/repo bookworm tools\n"
        b"deb http://near/debian bookworm main contrib\n"
    )
    setting = only({b"/etc/apt/sources.list": lines})
    assert setting.uris == ("http://vendor/repo", "http://other/repo", "http://near/debian")
    assert (setting.components, setting.check_valid_until) == (("main", "contrib"), True)


class Owned(MemoryView):
    """Where the host's keyring belongs to somebody, or may be written by some."""

    def __init__(self, uid: int, mode: int) -> None:
        super().__init__({RING: b"keys"})
        self._uid, self._mode = uid, mode

    def stat(self, path: bytes) -> Stat:
        return replace(super().stat(path), uid=self._uid, mode=self._mode)


@pytest.mark.parametrize(
    ("uid", "mode", "counts"),
    [(0, 0o644, "yes"), (0, 0o664, "no"), (0, 0o646, "no"), (1000, 0o644, "no")],
)
def test_the_hosts_copy_of_debians_keys_counts_where_only_root_could_write_it(
    uid: int, mode: int, counts: str
) -> None:
    (setting,) = settings(Owned(uid, mode), CONFIG)
    assert (RING.decode() in keyrings(setting)) == (counts == "yes")


def test_a_file_named_debian_must_be_debian_unless_it_names_keys() -> None:
    text = b"Types: deb\nURIs: http://m/debian\n"
    own = only({b"/config/debian.sources": text + b"Signed-By: /m.gpg\n", b"/m.gpg": b"keys"})
    assert (own.release_origin, keyrings(own)) == ("", ["/m.gpg"])
    same = only({b"/config/debian.sources": text + b"Signed-By: " + RING + b"\n"})
    assert (same.release_origin, only({b"/config/debian.sources": text}).release_origin) == (
        "Debian",
        "Debian",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"deb http://other/ubuntu noble main\n",
        b"deb http://near/debian-security bookworm-security main\n",
        b"deb-src http://near/debian bookworm main\n",
        b"this is not a list\n",
    ],
)
def test_entries_that_are_not_debians_archive_are_passed_over(text: bytes) -> None:
    assert only({b"/etc/apt/sources.list": text}).origin == "public mirrors"


def test_a_disabled_entry_of_apt_is_passed_over() -> None:
    entry = b"Types: deb\nURIs: http://n/debian\nSuites: sid\nEnabled: no\n"
    assert only({b"/etc/apt/sources.list.d/d.sources": entry}).origin == "public mirrors"


def test_a_keyring_that_is_missing_is_said_and_no_other_taken_for_it() -> None:
    entry = b"Types: deb\nURIs: http://m/repo\nSuites: one\n"
    with pytest.raises(NoKeyring):
        found({b"/config/mine.sources": entry + b"Signed-By: /gone.gpg\n"})
    with pytest.raises(NoKeyring, match="fingerprint"):
        found({b"/config/mine.sources": entry + b"Signed-By: 0123ABCD\n"})


def test_the_newer_name_of_the_hosts_keyring_is_known() -> None:
    assert keyrings(only({HOST_KEYRINGS[1]: b"keys"}))[0] == HOST_KEYRINGS[1].decode()


def test_configured_sources_come_beside_debian() -> None:
    files = {
        b"/config/mine.sources": b"Types: deb\nURIs: https://m/repo\nSuites: one two\nSigned-By: /m.gpg\n",
        b"/config/debs.sources": b"Types: directory\nURIs: /srv/debs\n",
        b"/config/notes.txt": b"not a source",
        b"/m.gpg": b"keys",
    }
    debian, debs, mine = found(files)
    assert debian.name == "debian"
    assert (debs.name, debs.kind, debs.uris, debs.suites) == ("debs", "directory", ("/srv/debs",), ("debs",))
    assert (mine.name, mine.suites, mine.components, mine.origin) == (
        "mine",
        ("one", "two"),
        ("main",),
        "/config/mine.sources",
    )


def test_a_file_named_debian_replaces_the_default_and_may_disable_it() -> None:
    entry = b"Types: deb\nURIs: http://m/debian\nCheck-Valid-Until: no\n"
    setting = only(
        {b"/config/debian.sources": entry, b"/etc/apt/sources.list": b"deb http://n/debian sid main"}
    )
    assert (setting.uris, setting.suites) == (("http://m/debian",), DEFAULT_SUITES)
    assert not setting.check_valid_until
    assert found({b"/config/debian.sources": entry + b"Enabled: no\n"}) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"Types: deb\nURIs: http://m\nSuites: a\n\nTypes: deb\nURIs: http://m\nSuites: b\n",
        b"Types: deb\nURIs: gopher://m\nSuites: a\n",
        b"Types: deb\nURIs: http://m\n",
    ],
)
def test_a_file_that_configures_nothing_is_named(text: bytes) -> None:
    with pytest.raises(BadSetting) as caught:
        found({b"/config/mine.sources": text})
    assert caught.value.path == b"/config/mine.sources"


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        (b'Acquire::Check-Valid-Until "false";\n', False),
        (b'Acquire { Check-Valid-Until "no"; };\n', False),
        (b"Acquire {\n  Check-Valid-Until false;\n};\n", False),
        (b'// Acquire::Check-Valid-Until "false";\n', True),
        (b'Acquire::Check-Valid-Until "true";\n', True),
    ],
)
def test_apts_own_word_on_expiry_is_heeded(text: bytes, checks: bool) -> None:  # noqa: FBT001  # what is expected
    assert apt_checks_expiry(MemoryView({b"/etc/apt/apt.conf.d/99x": text})) is checks


def test_the_shipped_keyring_is_the_one_its_provenance_names() -> None:
    import hashlib

    from denizen.sources.source_settings import SHIPPED_KEYRING

    path = Path(SHIPPED_KEYRING.decode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest in (path.parent / "README.md").read_text()
