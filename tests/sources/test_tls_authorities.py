"""Certificate authorities: those of the host before the copy."""

from denizen.fileview import MemoryView
from denizen.sources.tls_authorities import SHIPPED, certificates_for

_FEDORA = b"/etc/pki/tls/certs/ca-bundle.crt"
_DIRECTORY = "/usr/lib/ssl/certs"
_COPY = {SHIPPED.encode(): b"authority"}


def test_where_the_library_finds_its_own_nothing_is_given() -> None:
    assert (
        certificates_for(MemoryView({_FEDORA: b"authority", **_COPY}), "/usr/lib/ssl/cert.pem", None) is None
    )
    full = MemoryView({b"/usr/lib/ssl/certs/one.pem": b"authority", **_COPY})
    assert certificates_for(full, None, _DIRECTORY) is None


def test_another_distributions_file_is_given() -> None:
    assert certificates_for(MemoryView({_FEDORA: b"authority", **_COPY}), None, None) == _FEDORA.decode()


def test_the_copy_is_for_hosts_that_have_none() -> None:
    assert certificates_for(MemoryView(_COPY), None, None) == SHIPPED
    empty = MemoryView({f"{_DIRECTORY}/".encode(): b"", **_COPY})
    assert certificates_for(empty, None, _DIRECTORY) == SHIPPED
    assert certificates_for(MemoryView({}), None, None) is None
