"""The certificate authorities that TLS believes: where hosts have them, and a copy.

The copy is in the single file alone (tools/single_file.py): it is what Debian's ca-certificates has, for
hosts that have none, as a bare root and most images of containers. A host's own come first: they may list an
authority of its owner's, or lack one on purpose.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView

# OPENSSLDIR of OpenSSL in Debian, Fedora and upstream; what GnuTLS and Go's crypto/x509 have are among them.
BUNDLES = (
    b"/etc/ssl/certs/ca-certificates.crt",
    b"/etc/pki/tls/certs/ca-bundle.crt",
    b"/etc/ssl/cert.pem",
    b"/usr/lib/ssl/cert.pem",
)
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "certificates.pem")


def bundle_of_host(view: FileView) -> bytes:
    """Return the path where this host has the authorities that it believes, b"" for none."""
    return next((path for path in BUNDLES if _is_filled(view, path)), b"")


def certificates_for(view: FileView, file: str | None, directory: str | None) -> str | None:
    """Return the file of authorities to give to TLS; None for what its library finds by itself.

    `file` and `directory` are the places where that looks (ssl.get_default_verify_paths), None for one that
    this host does not have. Where Debian has OpenSSL without ca-certificates, the directory is empty.
    """
    found = None if file else bundle_of_host(view)
    if file or (not found and directory and view.listdir(os.fsencode(directory))):
        return None
    if found:
        return os.fsdecode(found)
    return SHIPPED if _is_filled(view, os.fsencode(SHIPPED)) else None


def _is_filled(view: FileView, path: bytes) -> bool:
    try:
        return bool(view.stat(path).size)
    except OSError:
        return False
