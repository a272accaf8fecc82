"""A small Debian archive made by the tests: signed, hashed and laid out like the real one."""

import gzip
import hashlib
import lzma
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pysequoia


def _gzip(content: bytes) -> bytes:
    """Return the same bytes at any time: those that differ make another Release."""
    return gzip.compress(content, mtime=0)


COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": _gzip, ".xz": lzma.compress}
# 2026-07-11 10:16:37 UTC; tests hand in clocks around it.
DATE = 1_783_764_997
DATE_TEXT = "Sat, 11 Jul 2026 10:16:37 UTC"


@cache
def key(name: str = "archive") -> Any:
    """Return a signing key, generated once per name."""
    return pysequoia.Tsk.generate(f"{name} <{name}@example.org>")


def keyring(name: str = "archive") -> bytes:
    """Return the public half of a key, as a binary keyring."""
    return bytes(key(name).extract_certificate())


def clear_signed(text: bytes, name: str = "archive") -> bytes:
    return bytes(pysequoia.sign(key(name).signer(), text, mode=pysequoia.SignatureMode.CLEAR))


def detached_signature(text: bytes, name: str = "archive") -> bytes:
    return bytes(pysequoia.sign(key(name).signer(), text, mode=pysequoia.SignatureMode.DETACHED))


def package_paragraph(name: str, version: str = "1.0-1", architecture: str = "amd64", **fields: str) -> str:
    content = f"{name} {version}"
    given = {
        "Package": name,
        "Version": version,
        "Architecture": architecture,
        "Section": "libs",
        "Priority": "optional",
        "Filename": f"pool/main/{name[0]}/{name}/{name}_{version}_{architecture}.deb",
        "Size": str(len(content)),
        "SHA256": hashlib.sha256(content.encode()).hexdigest(),
        **{key.replace("_", "-"): text for key, text in fields.items()},
    }
    return "".join(f"{key}: {text}\n" for key, text in given.items())


class Archive:
    """A Debian archive below a directory; `publish` writes or rewrites a suite and signs it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish(
        self,
        suite: str = "stable",
        *,
        codename: str = "trixie",
        packages: Sequence[str] = (),
        contents: Mapping[str, bytes] | None = None,
        date: str = DATE_TEXT,
        valid_until: str = "",
        signer: str | None = "archive",
        by_hash: bool = True,
        suffixes: Sequence[str] = (".xz", ".gz", ""),
        directory: str = "",
        architecture: str = "amd64",
        release_only: bool = False,
        claims: Mapping[str, bytes] | None = None,
        cut: Mapping[str, int] | None = None,
        origin: str = "Debian",
    ) -> None:
        """Write a suite.

        `contents` maps an architecture ("amd64", "all") to its Contents; `claims` replaces what the
        Release is made to believe of a file, so that the file itself is a lie; `cut` takes bytes off the end
        of a compressed file, before it is hashed: the archive itself is damaged.
        """
        base = self.root / "dists" / (directory or suite)
        files = {f"main/binary-{architecture}/Packages": "\n".join(packages).encode()}
        files |= {f"main/Contents-{name}": text for name, text in (contents or {}).items()}
        lines = []
        for name, text in files.items():
            for suffix in suffixes:
                stored = COMPRESSORS[suffix](text)
                stored = stored[: len(stored) - (cut or {}).get(name + suffix, 0)]
                claimed = (claims or {}).get(name + suffix, stored)
                digest = hashlib.sha256(claimed).hexdigest()
                lines.append(f" {digest} {len(claimed)} {name}{suffix}\n")
                _write(base / (name + suffix), stored)
                if by_hash:
                    _write((base / name).parent / "by-hash/SHA256" / digest, stored)
        release = (
            f"Origin: {origin}\nLabel: Debian\nSuite: {suite}\nCodename: {codename}\nDate: {date}\n"
            + (f"Valid-Until: {valid_until}\n" if valid_until else "")
            + ("Acquire-By-Hash: yes\n" if by_hash else "")
            + "No-Support-for-Architecture-all: Packages\n"
            + f"Architectures: all {architecture}\nComponents: main\nSHA256:\n{''.join(lines)}"
        ).encode()
        self.sign(base, release, signer, release_only=release_only)

    def sign(self, base: Path, release: bytes, signer: str | None, *, release_only: bool = False) -> None:
        """Write InRelease, or Release with Release.gpg; with no signer, a bare text under that name."""
        for name in ("InRelease", "Release", "Release.gpg"):
            (base / name).unlink(missing_ok=True)
        if release_only:
            _write(base / "Release", release)
            if signer is not None:
                _write(base / "Release.gpg", detached_signature(release, signer))
        else:
            _write(base / "InRelease", clear_signed(release, signer) if signer is not None else release)

    def name_too(self, suite: str, other: str) -> None:
        """Give a suite another name, with the same bytes: a signature made a second later has others."""
        shutil.copytree(self.root / "dists" / suite, self.root / "dists" / other)

    def add_package_file(self, paragraph: str) -> None:
        """Put the file a paragraph of `package_paragraph` promises into the pool."""
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines())
        _write(self.root / fields["Filename"], f"{fields['Package']} {fields['Version']}".encode())


def sample(archive: Archive, **changes: Any) -> None:
    """Return an archive with a suite of a library, its tools and a data package."""
    given: dict[str, Any] = {
        "packages": [
            package_paragraph("libssl3t64", "3.5-1", Depends="libc6 (>= 2.38)", Provides="libssl3 (= 3.5-1)"),
            package_paragraph("libc6", "2.41-12", Source="glibc", Priority="required", Essential="yes"),
            package_paragraph("openssl", "3.5-1", Section="utils", Depends="libssl3t64, libc6 (>= 2.38)"),
            package_paragraph("openssl-data", "3.5-1", "all", Section="doc"),
        ],
        "contents": {
            "amd64": (
                b"usr/bin/openssl                 utils/openssl\n"
                b"usr/lib/x86_64-linux-gnu/libc.so.6   libs/libc6\n"
                b"usr/lib/x86_64-linux-gnu/libcrypto.so.3  libs/libssl3t64\n"
                b"usr/lib/x86_64-linux-gnu/libssl.so.3  libs/libssl3t64\n"
            ),
            "all": b"usr/share/openssl/a file.txt   doc/openssl-data\n",
        },
    }
    archive.publish(**(given | changes))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
