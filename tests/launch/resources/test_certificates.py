"""Whose authorities are believed, and where they appear."""

from denizen.fileview import MemoryView
from denizen.launch.resources.certificates import authorities, missing_bundles
from denizen.sources.tls_authorities import BUNDLES, bundle_of_host


def test_the_files_of_a_package_are_joined_in_order_each_with_a_newline() -> None:
    top = b"/tree/usr/share/ca-certificates/mozilla"
    view = MemoryView({top + b"/b.crt": b"B", top + b"/a.crt": b"A\n\n", top + b"/README": b"x"})
    assert authorities(view, (b"/other", b"/tree")) == b"A\nB\n"
    assert authorities(view, (b"/other",)) == b""


def test_a_host_with_a_bundle_keeps_the_word_and_an_empty_one_is_none() -> None:
    fedora = b"/etc/pki/tls/certs/ca-bundle.crt"
    assert bundle_of_host(MemoryView({fedora: b"authority"})) == fedora
    assert bundle_of_host(MemoryView({fedora: b""})) == b""


def test_only_what_is_missing_is_shown_and_in_no_full_directory() -> None:
    full = {b"/etc/ssl/certs/%d.0" % number: b"" for number in range(300)}
    assert missing_bundles(MemoryView({})) == BUNDLES
    assert BUNDLES[0] not in missing_bundles(MemoryView(full))
