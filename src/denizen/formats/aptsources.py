"""apt's lists of sources, in one-line and deb822 format (pure).

Specification: sources.list(5).

    one-line = "deb" [ "[" *( option "=" value *( "," value ) ) "]" ] uri suite *component
    deb822   = Types, URIs, Suites, Components, and options as fields of their own (Signed-By, Enabled,
               Check-Valid-Until, Architectures, Trusted); Signed-By may hold a key block itself

Entries for source packages (`deb-src`) are left out, and so are cdrom and other methods that denizen does
not support. `Trusted: yes` has no effect: an unsigned archive is not used.

Limits: MAX_ENTRIES.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats.deb822 import paragraphs
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_ENTRIES = 10_000
_SPOKEN = ("http://", "https://", "file:", "copy:")


class BadSources(BadInput):
    """A list of sources breaks sources.list(5).

    Attributes:
        problem: the rule broken.
        text: the offending line or fields.
    """

    problem: str
    text: bytes
    WHAT = "a list of sources cannot be read: {problem:text}"

    @property
    def why(self) -> str:
        return display(self.text[:120])


class AptSource(Value):
    """One entry of a list of sources.

    Attributes:
        types: "deb", or denizen's own "directory".
        signed_by: paths of keyrings (or fingerprints, which begin with no slash).
        key_block: a keyring written into the entry itself.
        check_valid_until: None where the entry does not state it.
    """

    types: tuple[str, ...]
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    architectures: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    key_block: bytes = b""
    check_valid_until: bool | None = None
    enabled: bool = True


def parse_deb822(text: bytes) -> Iterator[AptSource]:
    """Yield the entries of a `.sources` file. Raises BadControl, BadSources."""
    for count, fields in enumerate(paragraphs(text)):
        if count >= MAX_ENTRIES:
            raise BadSources("too many entries", b"")
        signed_by = fields.get(b"signed-by", b"")
        inline = b"-----BEGIN PGP" in signed_by
        uris = _words(fields, b"uris")
        if not uris or b"types" not in fields:
            raise BadSources("an entry needs Types and URIs", b" ".join(fields))
        yield AptSource(
            types=_words(fields, b"types"),
            uris=tuple([uri for uri in uris if uri.startswith(_SPOKEN) or uri.startswith("/")]),
            suites=_words(fields, b"suites"),
            components=_words(fields, b"components"),
            architectures=_words(fields, b"architectures"),
            signed_by=() if inline else _words(fields, b"signed-by"),
            key_block=signed_by if inline else b"",
            check_valid_until=_truth(fields.get(b"check-valid-until")),
            enabled=_truth(fields.get(b"enabled")) is not False,
        )


def parse_one_line(text: bytes) -> Iterator[AptSource]:
    """Yield the entries of a `.list` file. Raises BadSources."""
    for number, raw in enumerate(text.split(b"\n")):
        line = raw.partition(b"#")[0].strip()
        if not line:
            continue
        if number >= MAX_ENTRIES:
            raise BadSources("too many lines", b"")
        kind, _, rest = line.partition(b" ")
        options: dict[bytes, bytes] = {}
        rest = rest.strip()
        if rest.startswith(b"["):
            inside, bracket, rest = rest[1:].partition(b"]")
            if not bracket:
                raise BadSources("a '[' is not closed", line)
            options = {
                key.lower(): found for key, _, found in (word.partition(b"=") for word in inside.split())
            }
        words = [display(word) for word in rest.split()]
        if kind not in (b"deb", b"deb-src") or len(words) < 2:
            raise BadSources("not 'deb URI SUITE [COMPONENT...]'", line)
        if kind == b"deb" and words[0].startswith(_SPOKEN):
            yield _from_words(words, options)


def _from_words(words: list[str], options: Mapping[bytes, bytes]) -> AptSource:
    return AptSource(
        types=("deb",),
        uris=(words[0],),
        suites=(words[1],),
        components=tuple(words[2:]),
        architectures=_listed(options, b"arch"),
        signed_by=_listed(options, b"signed-by"),
        check_valid_until=_truth(options.get(b"check-valid-until")),
    )


def _words(fields: Mapping[bytes, bytes], name: bytes) -> tuple[str, ...]:
    return tuple(display(fields.get(name, b"").replace(b"\n", b" ")).split())


def _listed(options: Mapping[bytes, bytes], name: bytes) -> tuple[str, ...]:
    return tuple([display(word) for word in options.get(name, b"").split(b",") if word])


def _truth(raw: bytes | None) -> bool | None:
    # apt-pkg/contrib/strutl.cc, StringToBool.
    word = (raw or b"").strip().lower()
    if word in (b"no", b"false", b"without", b"off", b"disable", b"0"):
        return False
    return True if word in (b"yes", b"true", b"with", b"on", b"enable", b"1") else None
